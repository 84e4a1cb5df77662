/** Models made of numbers in memory, for tests of what works on any model. */
import type { Model, StoredTensor, WeightLayer } from "../../src/model/model.ts";
import type { FloatArray } from "../../src/tensor/dtype.ts";
import type { WeightLayout } from "../../src/tensor/layout.ts";

export interface MemoryLayer extends Partial<Omit<WeightLayer, "tensor" | "layout">> {
  readonly name: string;
  readonly values: FloatArray;
  readonly layout: WeightLayout;
  /** What to change in the stored tensor. */
  readonly stored?: Partial<StoredTensor>;
}

/** A model without topology, its tensors laid one after another in an imagined file; a name used twice is one tensor. */
export function memoryModel(parts: readonly MemoryLayer[]): Model {
  const tensors = new Map<string, StoredTensor>();
  let offset = 0;
  const layers = parts.map(({ values, stored, layout, ...layer }): WeightLayer => {
    const name = stored?.name ?? `${layer.name}.weight`;
    const tensor = tensors.get(name) ?? {
      name,
      dtype: values instanceof Float32Array ? "float32" : "float64",
      shape: layout.split,
      role: "weight",
      location: { file: null, offset, byteLength: values.byteLength },
      read: () => Promise.resolve(values),
      ...stored,
    };
    offset += values.byteLength;
    tensors.set(name, tensor);
    return {
      op: null,
      kind: "dense",
      in: layout.groups * layout.inPerGroup,
      out: layout.groups * layout.outPerGroup,
      sendersKnown: true,
      ...layer,
      layout,
      tensor,
    };
  });
  return {
    name: "memory",
    format: "memory",
    producer: null,
    tensors: [...tensors.values()],
    layers,
    topology: { certainty: "inferred", layers: [], wires: [] },
    warnings: [],
    metadata: {},
  };
}
