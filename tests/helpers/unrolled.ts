/** Models whose positions are declared, for tests of unrolled graphs. */
import type { Geometry, GeometryStep, Window } from "../../src/model/geometry.ts";
import type { Model } from "../../src/model/model.ts";
import { topologyBuilder } from "../../src/model/topology.ts";
import { weightLayout, type WeightLayout } from "../../src/tensor/layout.ts";
import { memoryModel, type MemoryLayer } from "./memoryModel.ts";

/** A window of stride 1 without padding, but for what is given. */
export function windowOf(kernel: readonly number[], given: Partial<Window> = {}): Window {
  const ones = kernel.map(() => 1);
  return { kernel, strides: ones, dilations: ones, padding: [], ...given };
}

/** A layout [groups, out, in, …kernel], canonical as it is. */
export function kernelLayout(
  groups: number,
  out: number,
  senders: number,
  kernel: readonly number[] = [],
): WeightLayout {
  return weightLayout(
    [groups, out, senders, ...kernel],
    ["group", "out", "in", ...kernel.map(() => "tap" as const)],
  );
}

/** A model with these steps; every layer is wired to neurons of its own, which unrolling does not look at. */
export function geometryModel(
  parts: readonly MemoryLayer[],
  steps: readonly GeometryStep[] | null,
): Model {
  const model = memoryModel(parts);
  const builder = topologyBuilder();
  model.layers.forEach(({ name, layout }, layer) => {
    const { groups, inPerGroup, outPerGroup } = layout;
    builder.connect({
      layer,
      from: builder.addLayer(`${name} senders`, groups * inPerGroup, "input"),
      to: builder.addLayer(name, groups * outPerGroup, "hidden"),
      layout,
      recurrent: false,
    });
  });
  const geometry: Geometry | undefined = steps === null ? undefined : { steps };
  return { ...model, topology: builder.build("declared"), ...(geometry && { geometry }) };
}

/** One convolution on an input of `positions`. */
export function convolution(
  values: readonly number[],
  layout: WeightLayout,
  { positions, window }: { positions: readonly number[]; window: Window },
): Model {
  const channels = layout.groups * layout.inPerGroup;
  return geometryModel(
    [{ name: "conv", kind: "conv", values: Float64Array.from(values), layout }],
    [
      { op: "input", name: "input", channels, positions },
      { op: "connect", layer: 0, of: 0, window },
    ],
  );
}

/** LeNet of 3 x 32 x 32 with seeded weights: 3-6-16 channels of 5 x 5, max pooling by 2, 400-120-84-10 units. */
export function unrolledLeNet(weight: (index: number) => number): Model {
  const values = (count: number): Float32Array =>
    Float32Array.from({ length: count }, (_, i) => weight(i));
  const dense = (name: string, out: number, senders: number): MemoryLayer => ({
    name,
    values: values(out * senders),
    layout: kernelLayout(1, out, senders),
  });
  const conv = (name: string, out: number, senders: number): MemoryLayer => ({
    name,
    kind: "conv",
    values: values(out * senders * 25),
    layout: kernelLayout(1, out, senders, [5, 5]),
  });
  const window = windowOf([5, 5]);
  const halves = windowOf([2, 2], { strides: [2, 2] });
  return geometryModel(
    [
      conv("conv1", 6, 3),
      conv("conv2", 16, 6),
      dense("fc1", 120, 400),
      dense("fc2", 84, 120),
      dense("fc3", 10, 84),
    ],
    [
      { op: "input", name: "image", channels: 3, positions: [32, 32] },
      { op: "connect", layer: 0, of: 0, window },
      { op: "pool", name: "pool1", of: 1, mode: "max", window: halves },
      { op: "connect", layer: 1, of: 2, window },
      { op: "pool", name: "pool2", of: 3, mode: "max", window: halves },
      { op: "flatten", of: 4, order: "channels first" },
      { op: "connect", layer: 2, of: 5, window: null },
      { op: "connect", layer: 3, of: 6, window: null },
      { op: "connect", layer: 4, of: 7, window: null },
    ],
  );
}
