import { describe, expect, test } from "vitest";
import { readModel } from "../../../src/index.ts";
import { tfjsSource, type TfjsTensor } from "../../helpers/tfjs.ts";
import { neuronLayersOf, wiresOf } from "../../helpers/topology.ts";

const layer = (className: string, name: string, config: object = {}): object => ({
  class_name: className,
  name,
  config: { name, ...config },
});

const call = (
  className: string,
  name: string,
  inputs: readonly string[],
  config: object = {},
): object => ({
  ...layer(className, name, config),
  inbound_nodes: inputs.length === 0 ? [] : [inputs.map((input) => [input, 0, 0, {}])],
});

const sequential = (layers: readonly object[]): object => ({
  class_name: "Sequential",
  config: { name: "net", layers },
});

const functional = (
  layers: readonly object[],
  inputs: readonly string[],
  outputs: readonly string[],
): object => ({
  class_name: "Model",
  config: {
    name: "net",
    layers,
    input_layers: inputs.map((name) => [name, 0, 0]),
    output_layers: outputs.map((name) => [name, 0, 0]),
  },
});

interface Row {
  readonly name: string;
  readonly topology: object;
  readonly tensors: readonly TfjsTensor[];
  readonly wires: readonly string[];
  readonly warnings?: readonly string[];
}

const rows: readonly Row[] = [
  {
    name: "a flatten puts positions before channels",
    topology: sequential([
      layer("Conv2D", "conv", { batch_input_shape: [null, 4, 4, 1] }),
      layer("MaxPooling2D", "pool"),
      layer("BatchNormalization", "norm"),
      layer("Flatten", "flat"),
      layer("Dense", "fc"),
    ]),
    tensors: [
      { name: "conv/kernel", shape: [3, 3, 1, 2] },
      { name: "norm/gamma", shape: [2] },
      { name: "fc/kernel", shape: [8, 3] },
    ],
    wires: [
      "conv/kernel: input -> conv/kernel [tap3 tap3 in1 out2]",
      "fc/kernel: conv/kernel -> fc/kernel [tap4 in2 out3]",
    ],
  },
  {
    name: "the positions of a flattened input are neurons",
    topology: sequential([
      layer("InputLayer", "image", { batch_input_shape: [null, 2, 3] }),
      layer("Flatten", "flat"),
      layer("Dense", "fc"),
    ]),
    tensors: [{ name: "fc/kernel", shape: [6, 2] }],
    wires: ["fc/kernel: image -> fc/kernel [in6 out2]"],
  },
  {
    name: "a sum unites, a concatenation joins",
    topology: functional(
      [
        call("InputLayer", "x", [], { batch_input_shape: [null, 2] }),
        call("Dense", "a", ["x"]),
        call("Dense", "b", ["a"]),
        call("Add", "sum", ["a", "b"]),
        call("Concatenate", "both", ["sum", "x"]),
        call("Dense", "c", ["both"]),
      ],
      ["x"],
      ["c"],
    ),
    tensors: [
      { name: "a/kernel", shape: [2, 3] },
      { name: "b/kernel", shape: [3, 3] },
      { name: "c/kernel", shape: [5, 1] },
    ],
    wires: [
      "a/kernel: x -> a/kernel [in2 out3]",
      "b/kernel: a/kernel -> a/kernel [in3 out3]",
      "c/kernel: a/kernel+x -> c/kernel [in5 out1]",
    ],
  },
  {
    name: "a separable convolution has neurons between its kernels, a grouped one groups",
    topology: sequential([
      layer("SeparableConv2D", "sep"),
      layer("Conv2D", "grouped", { groups: 2 }),
      layer("DepthwiseConv2D", "depth"),
    ]),
    tensors: [
      { name: "sep/depthwise_kernel", shape: [3, 3, 2, 2] },
      { name: "sep/pointwise_kernel", shape: [1, 1, 4, 6] },
      { name: "grouped/kernel", shape: [1, 1, 3, 4] },
      { name: "depth/depthwise_kernel", shape: [2, 2, 4, 1] },
    ],
    wires: [
      "sep/depthwise_kernel: input -> sep/depthwise_kernel [tap3 tap3 group2 out2]",
      "sep/pointwise_kernel: sep/depthwise_kernel -> sep/pointwise_kernel [tap1 tap1 in4 out6]",
      "grouped/kernel: sep/pointwise_kernel -> grouped/kernel [tap1 tap1 in3 group2 out2]",
      "depth/depthwise_kernel: grouped/kernel -> depth/depthwise_kernel [tap2 tap2 group4 out1]",
    ],
  },
  {
    name: "a vector reshaped into a map has a neuron per channel",
    topology: sequential([
      layer("Dense", "fc", { batch_input_shape: [null, 2] }),
      layer("Reshape", "map", { target_shape: [2, 1, 3] }),
      layer("Conv2DTranspose", "up"),
    ]),
    tensors: [
      { name: "fc/kernel", shape: [2, 6] },
      { name: "up/kernel", shape: [2, 2, 1, 3] },
    ],
    wires: [
      "fc/kernel: input -> fc/kernel [in2 tap2 out3]",
      "up/kernel: fc/kernel -> up/kernel [tap2 tap2 out1 in3]",
    ],
  },
  {
    name: "words, both directions of an LSTM, an unknown class",
    topology: sequential([
      layer("Embedding", "words"),
      layer("Bidirectional", "both", { layer: { class_name: "LSTM", config: {} } }),
      layer("Mystery", "lambda"),
      layer("Dense", "fc"),
    ]),
    tensors: [
      { name: "words/embeddings", shape: [10, 3] },
      { name: "both/forward_lstm/kernel", shape: [3, 8] },
      { name: "both/forward_lstm/recurrent_kernel", shape: [2, 8] },
      { name: "both/backward_lstm/kernel", shape: [3, 8] },
      { name: "both/backward_lstm/recurrent_kernel", shape: [2, 8] },
      { name: "fc/kernel", shape: [4, 1] },
    ],
    wires: [
      "words/embeddings: words words -> words/embeddings [in10 out3]",
      "both/forward_lstm/kernel: words/embeddings -> both/forward_lstm/kernel [in3 tap4 out2]",
      "both/forward_lstm/recurrent_kernel: both/forward_lstm/kernel ~> both/forward_lstm/kernel [in2 tap4 out2]",
      "both/backward_lstm/kernel: words/embeddings -> both/backward_lstm/kernel [in3 tap4 out2]",
      "both/backward_lstm/recurrent_kernel: both/backward_lstm/kernel ~> both/backward_lstm/kernel [in2 tap4 out2]",
      "fc/kernel: both/forward_lstm/kernel+both/backward_lstm/kernel -> fc/kernel [in4 out1]",
    ],
    warnings: ["OPERATOR_UNKNOWN"],
  },
  {
    name: "a model inside a model, called twice",
    topology: functional(
      [
        call("InputLayer", "x", [], { batch_input_shape: [null, 2] }),
        call("InputLayer", "y", [], { batch_input_shape: [null, 2] }),
        {
          ...sequential([layer("Dense", "inner", { batch_input_shape: [null, 2] })]),
          name: "twin",
          inbound_nodes: [[["x", 0, 0, {}]], [["y", 0, 0, {}]]],
        },
        {
          ...layer("Add", "sum"),
          inbound_nodes: [
            [
              ["twin", 1, 0, {}],
              ["twin", 2, 0, {}],
            ],
          ],
        },
      ],
      ["x", "y"],
      ["sum"],
    ),
    tensors: [{ name: "twin/inner/kernel", shape: [2, 1] }],
    wires: [
      "twin/inner/kernel: x -> twin/inner/kernel [in2 out1]",
      "twin/inner/kernel: y -> twin/inner/kernel [in2 out1]",
    ],
  },
  {
    name: "what does not fit begins anew, what nobody uses is told",
    topology: sequential([layer("Dense", "a"), layer("Dense", "b")]),
    tensors: [
      { name: "a/kernel", shape: [2, 3] },
      { name: "b/kernel", shape: [4, 1] },
      { name: "lost/kernel", shape: [1, 1] },
    ],
    wires: [
      "a/kernel: input -> a/kernel [in2 out3]",
      "b/kernel: before b/kernel -> b/kernel [in4 out1]",
    ],
    warnings: ["TOPOLOGY_BROKEN", "WEIGHTS_UNUSED"],
  },
];

describe("wires of a Keras configuration (expected by hand)", () => {
  test.each(rows)("$name", async ({ topology, tensors, wires, warnings = [] }) => {
    const model = await readModel(tfjsSource({ model_config: topology }, tensors));
    expect(wiresOf(model)).toEqual(wires);
    expect(model.topology.certainty).toBe("declared");
    expect(model.warnings.map(({ code }) => code)).toEqual(warnings);
  });
});

test("a topology without the wrapping, as TensorFlow.js itself saves it", async () => {
  const tensors = [{ name: "fc/kernel", shape: [2, 1] }];
  const model = await readModel(tfjsSource(sequential([layer("Dense", "fc")]), tensors));
  expect(model.format).toBe("tfjs-layers");
  expect(neuronLayersOf(model)).toEqual({ input: 2, "fc/kernel": 1 });
});

test("references as Keras 3 writes them", async () => {
  const keras3 = (name: string): object => ({
    class_name: "__keras_tensor__",
    config: { shape: [null, 2], keras_history: [name, 0, 0] },
  });
  const topology = functional(
    [
      call("InputLayer", "x", [], { batch_shape: [null, 2] }),
      { ...layer("Dense", "fc"), inbound_nodes: [{ args: [keras3("x")], kwargs: {} }] },
    ],
    ["x"],
    ["fc"],
  );
  const model = await readModel(tfjsSource(topology, [{ name: "fc/kernel", shape: [2, 1] }]));
  expect(wiresOf(model)).toEqual(["fc/kernel: x -> fc/kernel [in2 out1]"]);
});
