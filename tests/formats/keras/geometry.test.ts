import * as tf from "@tensorflow/tfjs";
import { describe, expect, test } from "vitest";
import { forEachUnrolledEdge, unrolledGraph } from "../../../src/graph/unrolledGraph.ts";
import { unrolledSize } from "../../../src/graph/unrolledSize.ts";
import { openModel, readModel, type Model } from "../../../src/node.ts";
import {
  call,
  from,
  functional,
  input,
  keras2,
  keras3,
  layer,
  sequential,
} from "../../helpers/kerasConfig.ts";
import { hasSharedData, sharedPath } from "../../helpers/shared.ts";
import { savedFiles, sourceOf } from "../../helpers/tfjsRuntime.ts";

const { layers: make } = tf;
const plain = { useBias: false, kernelInitializer: "glorotNormal" } as const;

/** Networks without biases and without anything bent: what they answer is what their edges add up to. */
const linear: readonly { name: string; shape: number[]; layers: () => tf.layers.Layer[] }[] = [
  { name: "Conv2D, strides", shape: [7, 6, 2], layers: () => [make.conv2d({ ...plain, filters: 3, kernelSize: [3, 2], strides: [2, 1] })] },
  { name: "Conv2D, same", shape: [6, 5, 2], layers: () => [make.conv2d({ ...plain, filters: 2, kernelSize: [2, 3], strides: 2, padding: "same" })] },
  { name: "Conv2D, dilated", shape: [7, 7, 1], layers: () => [make.conv2d({ ...plain, filters: 2, kernelSize: 2, dilationRate: [3, 2] })] },
  { name: "Conv1D, same", shape: [8, 2], layers: () => [make.conv1d({ ...plain, filters: 3, kernelSize: 4, strides: 3, padding: "same" })] },
  { name: "Conv3D", shape: [3, 4, 3, 2], layers: () => [make.conv3d({ ...plain, filters: 2, kernelSize: [2, 3, 1], strides: [1, 1, 2] })] },
  { name: "DepthwiseConv2D", shape: [5, 4, 3], layers: () => [make.depthwiseConv2d({ useBias: false, kernelSize: 2, depthMultiplier: 2, padding: "same" })] },
  { name: "SeparableConv2D", shape: [5, 4, 3], layers: () => [make.separableConv2d({ useBias: false, filters: 2, kernelSize: 3, padding: "same", strides: 2 })] },
  { name: "Conv2DTranspose, same", shape: [3, 4, 2], layers: () => [make.conv2dTranspose({ ...plain, filters: 2, kernelSize: 3, strides: 2, padding: "same" })] },
  { name: "Conv2DTranspose, valid", shape: [3, 2, 2], layers: () => [make.conv2dTranspose({ ...plain, filters: 2, kernelSize: 3, strides: 2 })] },
  { name: "ZeroPadding2D, Conv2D", shape: [4, 5, 1], layers: () => [make.zeroPadding2d({ padding: [[0, 1], [2, 0]] }), make.conv2d({ ...plain, filters: 2, kernelSize: 3, strides: 2 })] },
  { name: "AveragePooling2D, same: padding is not counted", shape: [5, 5, 2], layers: () => [make.conv2d({ ...plain, filters: 2, kernelSize: 2 }), make.averagePooling2d({ poolSize: 3, strides: 2, padding: "same" })] },
  { name: "AveragePooling1D by its default", shape: [7, 2], layers: () => [make.conv1d({ ...plain, filters: 2, kernelSize: 2 }), make.averagePooling1d({})] },
  { name: "Flatten, Dense", shape: [4, 3, 2], layers: () => [make.conv2d({ ...plain, filters: 3, kernelSize: 2 }), make.flatten(), make.dense({ ...plain, units: 4 })] },
  { name: "Reshape to one axis, Dense", shape: [4, 2], layers: () => [make.conv1d({ ...plain, filters: 3, kernelSize: 2 }), make.reshape({ targetShape: [9] }), make.dense({ ...plain, units: 4 })] },
  { name: "GlobalAveragePooling2D, Dense", shape: [4, 3, 2], layers: () => [make.conv2d({ ...plain, filters: 3, kernelSize: 2 }), make.globalAveragePooling2d({}), make.dense({ ...plain, units: 4 })] },
  { name: "Dense at every position", shape: [4, 3], layers: () => [make.dense({ ...plain, units: 2 }), make.conv1d({ ...plain, filters: 2, kernelSize: 2 })] },
  { name: "Dense after Dense", shape: [4], layers: () => [make.dense({ ...plain, units: 3 }), make.dense({ ...plain, units: 2 })] },
  {
    name: "Dense, Reshape to a map, UpSampling2D, Conv2D",
    shape: [3],
    layers: () => [
      make.dense({ ...plain, units: 12 }),
      make.reshape({ targetShape: [2, 3, 2] }),
      make.upSampling2d({ size: [2, 3] }),
      make.conv2d({ ...plain, filters: 2, kernelSize: 2 }),
    ],
  },
  { name: "Flatten of the input", shape: [2, 3], layers: () => [make.flatten(), make.dense({ ...plain, units: 2 })] },
]; // prettier-ignore

test.each(linear)(
  "$name: the edges add up to the answer (reference: TensorFlow.js)",
  async ({ shape, layers }) => {
    const start = tf.input({ shape });
    const end = layers().reduce((value, own) => own.apply(value) as tf.SymbolicTensor, start);
    const network = tf.model({ inputs: start, outputs: end });
    const graph = await unrolledGraph(
      await readModel(sourceOf(await savedFiles(network, 1 << 20))),
    );
    const size = shape.reduce((a, b) => a * b, 1);
    const values = Array.from({ length: size }, (_, i) => Math.sin(i + 1));
    const answer = network.predict(tf.tensor(values, [1, ...shape])) as tf.Tensor;
    const expected = await answer.data();

    // Channels stand last in TensorFlow's tensors, first in the order of nodes.
    const found = new Float64Array(graph.nodeCount);
    const [first] = graph.layers as [(typeof graph.layers)[number]];
    const last = graph.layers.at(-1)!;
    const node = ({ channels, size: all, offset }: typeof last, i: number): number =>
      offset + (i % channels) * (all / channels) + Math.floor(i / channels);
    expect([...first.positions, first.channels]).toEqual(shape);
    values.forEach((value, i) => (found[node(first, i)] = value));
    forEachUnrolledEdge(graph, (sender, to, weight) => (found[to]! += weight * found[sender]!));
    expect(last.size).toBe(expected.length);
    expected.forEach((value, i) => expect(found[node(last, i)]!).toBeCloseTo(value, 4));
  },
);

const kernel = (...shape: number[]) => ({ "kernel:0": shape });

describe("configurations", () => {
  const rows: readonly {
    name: string;
    model: () => Promise<Model>;
    nodes: number;
    edges: number;
  }[] = [
    {
      name: "a residual sum, a concatenation (hand)",
      model: () =>
        keras2(
          functional(
            [
              input("x", 4, 2),
              layer("Conv1D", "a", { kernel_size: [3], padding: "same" }, from("x")),
              layer("Add", "s", {}, from("a", "x")),
              layer("Concatenate", "c", { axis: -1 }, from("s", "a")),
              layer("Conv1D", "b", { kernel_size: [1] }, from("c")),
            ],
            ["x"],
            ["b"],
          ),
          { a: kernel(3, 2, 2), b: kernel(1, 4, 1) },
        ),
      nodes: 8 + 4,
      edges: 10 * 4 + 16,
    },
    {
      name: "Keras 1: other names, a kernel with a second axis of 1 (hand)",
      model: () =>
        keras2(
          sequential(
            layer("Convolution1D", "a", {
              batch_input_shape: [null, 6, 2],
              subsample_length: 2,
              border_mode: "same",
            }),
            layer("MaxPooling1D", "p", { pool_length: 3, stride: 3, border_mode: "valid" }),
          ),
          { a: { "a_W:0": [3, 1, 2, 4] } },
        ),
      nodes: 12 + 12 + 4,
      edges: 8 * 8 + 12,
    },
    {
      name: "channels in front (hand)",
      model: () =>
        keras2(
          sequential(
            input("x", 2, 5, 4),
            layer("Conv2D", "a", {
              kernel_size: [2, 2],
              data_format: "channels_first",
              strides: [1, 2],
            }),
            layer("Flatten", "f"),
            layer("Dense", "d"),
          ),
          { a: kernel(2, 2, 2, 3), d: kernel(24, 2) },
        ),
      nodes: 40 + 24 + 2,
      edges: 8 * 4 * 6 + 48,
    },
    {
      name: "causal padding (hand)",
      model: () =>
        keras2(
          sequential(
            input("x", 5, 1),
            layer("Conv1D", "a", { kernel_size: [2], padding: "causal", dilation_rate: [2] }),
          ),
          { a: kernel(2, 1, 1) },
        ),
      nodes: 10,
      edges: 5 + 3,
    },
    {
      name: "Keras 3: an operation is as a layer (hand)",
      model: () =>
        keras3(
          functional(
            [
              layer("InputLayer", "x", { batch_shape: [null, 4, 2] }, []),
              layer("Conv1D", "a", { kernel_size: [1] }, [call("x")]),
              { ...layer("Add", "s", {}, [call("a", "x")]), module: "keras.src.ops.numpy" },
            ],
            ["x"],
            ["s"],
          ),
          { conv1d: [[1, 2, 2]] },
        ),
      nodes: 8,
      edges: 16,
    },
  ];
  test.each(rows)("$name", async ({ model, nodes, edges }) => {
    expect(unrolledSize(await model())).toMatchObject({ nodes, edges });
  });

  const conv = layer("Conv1D", "b", { kernel_size: [1] });
  test.each([
    {
      name: "a reshape",
      layers: [layer("Reshape", "r", { target_shape: [2, 2, 2] })],
      reason: "Reshape (r)",
    },
    {
      name: "upsampling between neighbours",
      layers: [layer("UpSampling1D", "r", { size: 2, interpolation: "bilinear" })],
      reason: "UpSampling1D (r)",
    },
    {
      name: "channels in front after a layer that has them last",
      layers: [
        layer("MaxPooling1D", "p", { pool_size: [2], data_format: "channels_last" }),
        layer("Conv1D", "b", { data_format: "channels_first" }),
      ],
      reason: "Conv1D (b)",
    },
    { name: "a layer of the user's own", layers: [layer("Twist", "r")], reason: "Twist (r)" },
    {
      name: "cropping",
      layers: [layer("Cropping1D", "r", { cropping: [1, 1] })],
      reason: "Cropping1D (r)",
    },
    {
      name: "Theano's order",
      layers: [layer("Conv1D", "b", { dim_ordering: "th" })],
      reason: "Conv1D (b)",
    },
    {
      name: "padding that is not known",
      layers: [layer("Conv1D", "b", { padding: "full" })],
      reason: "Conv1D (b)",
    },
    {
      name: "a padding layer of other axes",
      layers: [layer("ZeroPadding1D", "r", { padding: [[1], 2, 3] })],
      reason: "ZeroPadding1D (r)",
    },
    {
      name: "a pooling of other axes",
      layers: [layer("MaxPooling1D", "r", { pool_size: [2, 2] })],
      reason: "MaxPooling1D (r)",
    },
    {
      name: "a layer at every step",
      layers: [layer("TimeDistributed", "r", { layer: { class_name: "Flatten", config: {} } })],
      reason: "Flatten (r)",
    },
    {
      name: "what follows something lost",
      layers: [
        layer("Permute", "r", { dims: [1, 2] }),
        layer("Activation", "s"),
        layer("MaxPooling1D", "p", { pool_size: [2] }),
      ],
      reason: "Permute (r)",
    },
  ])("$name is told by name", async ({ layers, reason }) => {
    const isOwn = layers.some((own) => own["name"] === "b");
    const config = sequential(input("x", 4, 2), ...layers, ...(isOwn ? [] : [conv]));
    const model = await keras2(config, { b: kernel(1, 2, 1) });
    expect(() => unrolledSize(model)).toThrow(reason);
  });

  test("sizes that the file leaves open are stated", async () => {
    const model = await keras2(sequential(input("x", null, 2), conv), { b: kernel(1, 2, 1) });
    expect(() => unrolledSize(model)).toThrow("the input x has no size");
    expect(unrolledSize(model, { inputShape: [2, 9] }).edges).toBe(18);
  });
});

describe.skipIf(!hasSharedData)("real networks", () => {
  test.each([
    { file: "tfjs-layers/cvae_quickdraw/model.json", nodes: 25_155, edges: 1_182_960 },
    { file: "tfjs-layers/doodlenet/model.json", nodes: 50_825, edges: 6_997_184 },
    { file: "keras-h5/pretrainedResnet.h5", nodes: 60_490, edges: 11_578_688 },
    { file: "keras-h5/tiny_XCEPTION_KDEF.hdf5", nodes: 249_643, edges: 3_467_584 },
    { file: "keras-v3/nlf-classifier_model.keras", nodes: 553, edges: 76_032 },
  ])("$file", async ({ file, nodes, edges }) => {
    expect(unrolledSize(await openModel(sharedPath(file)))).toMatchObject({ nodes, edges });
  });
});
