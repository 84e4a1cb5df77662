import { describe, expect, test } from "vitest";
import { nodeStrength } from "../../src/analysis/nodeStrength.ts";
import { nullable } from "../../src/analysis/nodeValues.ts";
import { unrolledStrength } from "../../src/analysis/unrolledStrength.ts";
import { layeredGraph } from "../../src/graph/layeredGraph.ts";
import {
  forEachUnrolledEdge,
  materialiseUnrolled,
  unrolledGraph,
} from "../../src/graph/unrolledGraph.ts";
import { unrolledSize } from "../../src/graph/unrolledSize.ts";
import type { GeometryStep, Padding, Window } from "../../src/model/geometry.ts";
import type { Model } from "../../src/model/model.ts";
import { thrownBy } from "../helpers/errors.ts";
import {
  convolution,
  geometryModel,
  kernelLayout,
  unrolledLeNet,
  windowOf,
} from "../helpers/unrolled.ts";

describe("sizes", () => {
  const same: Padding = "same upper";
  // reference: output lengths as TensorFlow's and PyTorch's documentation define them
  test.each<{ name: string; size: number; window: Window; output: number; edges: number }>([
    {
      name: "same, stride 1",
      size: 5,
      window: windowOf([3], { padding: same }),
      output: 5,
      edges: 13,
    },
    {
      name: "same, stride 2",
      size: 5,
      window: windowOf([3], { padding: same, strides: [2] }),
      output: 3,
      edges: 7,
    },
    {
      name: "same, even kernel, odd one behind",
      size: 4,
      window: windowOf([2], { padding: same }),
      output: 4,
      edges: 7,
    },
    {
      name: "same lower",
      size: 4,
      window: windowOf([2], { padding: "same lower" }),
      output: 4,
      edges: 7,
    },
    {
      name: "valid, remainder left over",
      size: 6,
      window: windowOf([2], { strides: [3] }),
      output: 2,
      edges: 4,
    },
    {
      name: "rounded up",
      size: 6,
      window: windowOf([3], { strides: [2], roundsUp: true }),
      output: 3,
      edges: 8,
    },
    {
      name: "rounded up, last window in the padding left out",
      size: 4,
      window: windowOf([2], { strides: [3], padding: [[0, 2]], roundsUp: true }),
      output: 2,
      edges: 3,
    },
    {
      name: "transposed, same",
      size: 4,
      window: windowOf([3], { padding: same, strides: [2], transposed: { outputPadding: [0] } }),
      output: 8,
      edges: 11,
    },
    {
      name: "transposed, kernel below stride",
      size: 3,
      window: windowOf([1], { strides: [2], transposed: { outputPadding: [1] } }),
      output: 6,
      edges: 3,
    },
    { name: "one position, one tap", size: 1, window: windowOf([1]), output: 1, edges: 1 },
  ])("$name", ({ size, window, output, edges }) => {
    const count = window.kernel[0]!;
    const model = convolution(new Array<number>(count).fill(1), kernelLayout(1, 1, 1, [count]), {
      positions: [size],
      window,
    });
    const found = unrolledSize(model);
    expect(found.layers[1]!.positions).toEqual([output]);
    expect(found.edges).toBe(edges);
  });
});

const dense = (name: string, out: number, senders: number) => ({
  name,
  values: new Float64Array(out * senders).fill(1),
  layout: kernelLayout(1, out, senders),
});

describe("steps between weights", () => {
  const image = (channels: number, ...positions: number[]): GeometryStep => ({
    op: "input",
    name: "image",
    channels,
    positions,
  });
  const edgesOf = async (model: Model): Promise<string[]> => {
    const edges: string[] = [];
    forEachUnrolledEdge(await unrolledGraph(model), (from, to, w) =>
      edges.push(`${from}-${to}:${w}`),
    );
    return edges;
  };

  test.each([
    { order: "channels first", senders: [0, 1, 2, 3, 4, 5] },
    { order: "positions first", senders: [0, 3, 1, 4, 2, 5] },
  ] as const)("a flatten, $order (hand)", async ({ order, senders }) => {
    const values = Float64Array.from([1, 2, 3, 4, 5, 6]);
    const model = geometryModel(
      [{ name: "fc", values, layout: kernelLayout(1, 1, 6) }],
      [
        image(2, 3),
        { op: "flatten", of: 0, order },
        { op: "connect", layer: 0, of: 1, window: null },
      ],
    );
    expect(await edgesOf(model)).toEqual(senders.map((from, i) => `${from}-6:${i + 1}`));
  });

  test("a dense layer at every position (hand)", async () => {
    const model = geometryModel([dense("fc", 1, 2)], [
      image(2, 2),
      { op: "connect", layer: 0, of: 0, window: null },
    ]); // prettier-ignore
    expect(await edgesOf(model)).toEqual(["0-4:1", "2-4:1", "1-5:1", "3-5:1"]);
  });

  test.each([
    { name: "max", step: { mode: "max" }, weights: [1, 1, 1, 1] },
    { name: "average, padding not counted", step: { mode: "average" }, weights: [1, 0.5, 0.5, 1] },
    {
      name: "average, padding counted",
      step: { mode: "average", countsPadding: true },
      weights: [0.5, 0.5, 0.5, 0.5],
    },
  ] as const)("pooling keeps channels apart: $name (hand)", async ({ step, weights }) => {
    const window = windowOf([2], { strides: [2], padding: [[1, 1]] });
    const model = geometryModel(
      [dense("fc", 1, 6)],
      [
        image(2, 4),
        { op: "pool", name: "pool", of: 0, window, ...step },
        { op: "flatten", of: 1, order: "channels first" },
        { op: "connect", layer: 0, of: 2, window: null },
      ],
    );
    const [a, b, c, d] = weights;
    const pooled = (await edgesOf(model)).slice(0, 8);
    expect(pooled.toSorted()).toEqual(
      [
        `0-8:${a}`,
        `1-9:${b}`,
        `2-9:${c}`,
        `3-10:${d}`,
        `4-11:${a}`,
        `5-12:${b}`,
        `6-12:${c}`,
        `7-13:${d}`,
      ].toSorted(),
    );
    const graph = await unrolledGraph(model);
    expect(nullable(unrolledStrength(graph))).toEqual(
      nullable(nodeStrength(materialiseUnrolled(graph))),
    );
  });

  test("a residual sum makes one node of two, a concatenation keeps both (hand)", () => {
    const conv = (name: string, out: number, senders: number) => ({
      name,
      kind: "conv" as const,
      values: new Float64Array(out * senders).fill(1),
      layout: kernelLayout(1, out, senders, [1]),
    });
    const window = windowOf([1]);
    const model = geometryModel(
      [conv("a", 2, 2), conv("b", 1, 4)],
      [
        image(2, 3),
        { op: "connect", layer: 0, of: 0, window },
        { op: "sum", of: [0, 1] },
        { op: "concatenate", of: [2, 1] },
        { op: "connect", layer: 1, of: 3, window },
      ],
    );
    const { nodes, layers, edges } = unrolledSize(model);
    expect(layers.map(({ name }) => name)).toEqual(["image", "b"]);
    expect({ nodes, edges }).toEqual({ nodes: 9, edges: 12 + 12 });
  });

  test("padding is of the next window, a global pooling is one window (hand)", () => {
    const model = geometryModel(
      [
        {
          name: "conv",
          kind: "conv",
          values: new Float64Array(9),
          layout: kernelLayout(1, 1, 1, [3, 3]),
        },
        dense("fc", 2, 1),
      ],
      [
        image(1, 4, 4),
        { op: "pad", of: 0, pads: [[0, 1], [0, 1]] }, // prettier-ignore
        { op: "connect", layer: 0, of: 1, window: windowOf([3, 3], { strides: [2, 2] }) },
        { op: "pool", name: "mean", of: 2, mode: "average", window: "all" },
        { op: "flatten", of: 3, order: "channels first" },
        { op: "connect", layer: 1, of: 4, window: null },
      ],
    );
    const { layers, edges } = unrolledSize(model);
    expect(layers.map(({ positions }) => positions)).toEqual([[4, 4], [2, 2], [1, 1], []]);
    expect(edges).toBe(25 + 4 + 2);
  });
});

test("a network of dense layers unrolls into its rolled graph, geometry or none", async () => {
  const model = geometryModel([dense("fc", 3, 4)], null);
  const rolled = await layeredGraph(model);
  const laid = materialiseUnrolled(await unrolledGraph(model));
  expect(laid.edgeCount).toBe(rolled.edgeCount);
  expect(laid.layers).toMatchObject(rolled.layers);
  expect(nullable(nodeStrength(laid))).toEqual(nullable(nodeStrength(rolled)));
});

describe("refusals", () => {
  const layout = kernelLayout(1, 1, 2, [3]);
  const conv = { name: "conv", kind: "conv" as const, values: new Float64Array(6), layout };
  const open: GeometryStep = { op: "input", name: "image", channels: null, positions: [null] };
  const image: GeometryStep = { op: "input", name: "image", channels: 2, positions: [4] };
  const read = (window: Window | null, of = 0): GeometryStep => ({
    op: "connect",
    layer: 0,
    of,
    window,
  });
  const fine = read(windowOf([3]));

  test("a state dict of convolutions says no strides", () => {
    const error = thrownBy(
      () => unrolledSize(geometryModel([conv], null)),
      "GRAPH_POSITIONS_UNKNOWN",
    );
    expect(error.hint).toContain("strides");
  });

  test("an open input asks for its shape, and takes it", () => {
    const model = geometryModel([conv], [open, fine]);
    const error = thrownBy(() => unrolledSize(model), "GRAPH_POSITIONS_UNKNOWN");
    expect(error.message).toContain("state its shape");
    expect(error.path).toEqual(["memory", "conv"]);
    expect(unrolledSize(model, { inputShape: [2, 5] })).toMatchObject({ nodes: 13, edges: 18 });
  });

  test.each<{ name: string; steps: GeometryStep[]; inputShape?: number[] }>([
    { name: "a shape of other channels", steps: [image, fine], inputShape: [3, 4] },
    { name: "a shape of other rank", steps: [image, fine], inputShape: [2, 4, 4] },
    { name: "an input below one window", steps: [image, fine], inputShape: [2, 2] },
    { name: "a window of another rank", steps: [image, read(windowOf([3, 1]))] },
    { name: "a kernel of other taps", steps: [image, read(windowOf([2]))] },
    { name: "a stride of 0", steps: [image, read(windowOf([3], { strides: [0] }))] },
    {
      name: "a window over features",
      steps: [image, { op: "flatten", of: 0, order: "channels first" }, read(windowOf([3]), 1)],
    },
    {
      name: "a kernel read as a dense layer",
      steps: [image, { op: "flatten", of: 0, order: "channels first" }, read(null, 1)],
    },
  ])("$name", ({ steps, inputShape }) => {
    const error = thrownBy(
      () => unrolledSize(geometryModel([conv], steps), inputShape && { inputShape }),
      "SHAPE_MISMATCH",
    );
    expect(error.path[0]).toBe("memory");
    expect(error.hint).toContain("[channels");
  });

  test.each<{ name: string; steps: GeometryStep[] }>([
    {
      name: "a step that nobody followed",
      steps: [image, { op: "unknown", reason: "Resize" }, read(windowOf([3]), 1)],
    },
    { name: "a layer that no step reads", steps: [image] },
    { name: "a source that stands nowhere", steps: [image, read(windowOf([3]), 7)] },
    {
      name: "padding before a sum",
      steps: [
        image,
        { op: "pad", of: 0, pads: [[1, 1]] },
        { op: "sum", of: [1, 0] },
        read(windowOf([3]), 2),
      ],
    },
    {
      name: "padding of another rank",
      steps: [image, { op: "pad", of: 0, pads: [] }, read(windowOf([3]), 1)],
    },
    {
      name: "cropping",
      steps: [image, { op: "pad", of: 0, pads: [[-1, 0]] }, read(windowOf([3]), 1)],
    },
    {
      name: "a sum of shapes that differ",
      steps: [
        { ...image, positions: [1, 4] },
        image,
        { op: "sum", of: [0, 1] },
        read(windowOf([3]), 2),
      ],
    },
    {
      name: "a concatenation of positions that differ",
      steps: [
        image,
        { ...image, positions: [5] },
        { op: "concatenate", of: [0, 1] },
        read(windowOf([3]), 2),
      ],
    },
    {
      name: "a pooling of features",
      steps: [
        image,
        { op: "flatten", of: 0, order: "channels first" },
        { op: "pool", name: "p", of: 1, mode: "max", window: "all" },
        read(windowOf([3]), 2),
      ],
    },
  ])("$name", ({ steps }) => {
    thrownBy(() => unrolledSize(geometryModel([conv], steps)), "GRAPH_POSITIONS_UNKNOWN");
  });

  test("sizes beyond reason are told, not allocated", () => {
    const model = geometryModel([conv], [open, fine]);
    thrownBy(() => unrolledSize(model, { inputShape: [2, 1e12] }), "GRAPH_TOO_LARGE");
    const free = geometryModel(
      [conv],
      [open, { op: "pool", name: "p", of: 0, mode: "max", window: "all" }],
    );
    thrownBy(() => unrolledSize(free, { inputShape: [1e9, 4] }), "GRAPH_TOO_LARGE");
  });

  test("steps that join channels without end are told", () => {
    const pads: GeometryStep[] = Array.from({ length: 70 }, (_, of) => ({
      op: "pad",
      of,
      pads: [[1, 1]],
    }));
    const free = geometryModel([], [{ ...image, channels: 2 ** 20 }, ...pads]);
    thrownBy(() => unrolledSize(free), "GRAPH_TOO_LARGE");
    const doubled: GeometryStep[] = Array.from({ length: 24 }, (_, of) => ({
      op: "concatenate",
      of: [of, of],
    }));
    const joined = geometryModel([conv], [image, ...doubled, read(windowOf([3]), 24)]);
    thrownBy(() => unrolledSize(joined), "GRAPH_POSITIONS_UNKNOWN");
  });

  test("above the limit of edges nothing is laid out", async () => {
    const graph = await unrolledGraph(unrolledLeNet(() => 1));
    const error = thrownBy(
      () => materialiseUnrolled(graph, { maxEdges: 658_023 }),
      "GRAPH_TOO_LARGE",
    );
    expect(error.details).toEqual({ nodes: 11_166, edges: 658_024, maxEdges: 658_023 });
    expect(materialiseUnrolled(graph, { maxEdges: 658_024 }).edgeCount).toBe(658_024);
    thrownBy(() => materialiseUnrolled(graph, { maxEdges: Number.NaN }), "USAGE_INVALID_OPTION");
  });

  test("more nodes than a vector holds are told", async () => {
    const many = geometryModel([conv], [{ ...image, positions: [2 ** 24] }, read(windowOf([3]))]);
    expect(unrolledSize(many).nodes).toBe(3 * 2 ** 24 - 2);
    const steps: GeometryStep[] = [{ ...image, positions: [2 ** 20, 2 ** 20] }];
    await expect(unrolledGraph(geometryModel([], steps))).rejects.toMatchObject({
      code: "GRAPH_TOO_LARGE",
    });
  });

  test("no edge, no strength", async () => {
    const graph = await unrolledGraph(geometryModel([], [image]));
    thrownBy(() => unrolledStrength(graph), "GRAPH_NO_EDGES");
    thrownBy(() => unrolledStrength(graph, { sign: "odd" as never }), "USAGE_INVALID_OPTION");
  });

  test("weights that are not finite", async () => {
    const bad = { ...conv, values: Float64Array.of(1, 2, Number.NaN, 4, 5, 6) };
    await expect(unrolledGraph(geometryModel([bad], [image, fine]))).rejects.toMatchObject({
      code: "WEIGHTS_NOT_FINITE",
    });
  });
});
