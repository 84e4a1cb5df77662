import type { Model, StoredTensor } from "../../model/model.ts";
import { parseKerasConfig } from "../kerasConfig.ts";
import { kerasRole } from "../kerasKernels.ts";
import { traceKeras } from "../kerasTopology.ts";
import { isJsonObject } from "../strictJson.ts";
import type { ManifestTensor } from "./weights.ts";

/** What a topology makes of a manifest's tensors. */
export type ReadTopology = Pick<Model, "tensors" | "layers" | "topology" | "warnings">;

/**
 * A layers-model: the topology is a Keras configuration, tensors belong to the layer that their name begins with (or, inside a
 * nested model, has among its parts).
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_UNSUPPORTED`
 */
export function readLayersModel(
  tensors: readonly ManifestTensor[],
  modelTopology: unknown,
  path: readonly (string | number)[],
): ReadTopology {
  const config = isJsonObject(modelTopology) ? modelTopology["model_config"] : undefined;
  const network = parseKerasConfig(config ?? modelTopology, [...path, "modelTopology"]);
  const placed = tensors.map((tensor): StoredTensor => ({
    ...tensor,
    role: kerasRole(tensor.name, tensor.shape, tensor.dtype),
  }));
  const byPart = new Map<string, StoredTensor[]>();
  for (const tensor of placed) {
    for (const part of new Set(tensor.name.split("/").slice(0, -1))) {
      byPart.set(part, [...(byPart.get(part) ?? []), tensor]);
    }
  }
  const traced = traceKeras(network, (layer, parents) => {
    const named = byPart.get(layer) ?? [];
    const own = named.filter(({ name }) => name.startsWith(`${layer}/`));
    const inside = named.filter(({ name }) =>
      parents.some((parent) => name.startsWith(`${parent}/`)),
    );
    if (inside.length > 0) return inside;
    return own.length > 0 ? own : named;
  });
  const known = new Set(traced.layers.map(({ tensor }) => tensor));
  const lost = placed.filter((tensor) => tensor.role === "weight" && !known.has(tensor));
  const warnings = [...traced.warnings];
  if (lost.length > 0) {
    const message = `no layer of the configuration uses ${lost.map(({ name }) => name).join(", ")}`;
    warnings.push({ code: "WEIGHTS_UNUSED", message });
  }
  return {
    ...traced,
    warnings,
    tensors: placed.map((tensor) =>
      lost.includes(tensor) ? { ...tensor, role: "unknown" } : tensor,
    ),
  };
}
