import { expect, test } from "vitest";
import { coverageOf } from "../../../src/index.ts";
import {
  call,
  from,
  functional,
  input,
  keras2,
  keras3,
  layer,
  sequential,
  type KerasRow,
} from "../../helpers/kerasConfig.ts";
import { wiresOf } from "../../helpers/topology.ts";

const rows: readonly KerasRow[] = [
  {
    name: "flatten between a convolution and a dense layer, channels last",
    model: () =>
      keras2(
        sequential(
          input("in", 4, 4, 1),
          layer("Conv2D", "c"),
          layer("Flatten", "f"),
          layer("Dense", "d"),
        ),
        {
          c: { "c/kernel:0": [3, 3, 1, 2] },
          d: { "d/kernel:0": [8, 3] },
        },
      ),
    wires: [
      "c/kernel:0: in -> c/kernel:0 [tap3 tap3 in1 out2]",
      "d/kernel:0: c/kernel:0 -> d/kernel:0 [tap4 in2 out3]",
    ],
  },
  {
    name: "the same with channels in front, which a plain Flatten leaves in front",
    model: () =>
      keras2(
        sequential(
          input("in", 1, 4, 4),
          layer("Conv2D", "c", { data_format: "channels_first" }),
          layer("MaxPooling2D", "p", { data_format: "channels_first" }),
          layer("Flatten", "f"),
          layer("Dense", "d"),
        ),
        { c: { "c/kernel:0": [3, 3, 1, 2] }, d: { "d/kernel:0": [8, 3] } },
      ),
    wires: [
      "c/kernel:0: in -> c/kernel:0 [tap3 tap3 in1 out2]",
      "d/kernel:0: c/kernel:0 -> d/kernel:0 [in2 tap4 out3]",
    ],
  },
  {
    name: "Keras 1: names with letters, Theano's order of axes, a merge by sum",
    model: () =>
      keras2(
        functional(
          [
            input("in", 3, 8, 8),
            layer(
              "Convolution2D",
              "convolution2d_1",
              { dim_ordering: "th", nb_filter: 4 },
              from("in"),
            ),
            layer(
              "Convolution2D",
              "convolution2d_2",
              { dim_ordering: "th", nb_filter: 4 },
              from("in"),
            ),
            layer("Merge", "merge_1", { mode: "sum" }, from("convolution2d_1", "convolution2d_2")),
            layer("GlobalAveragePooling2D", "g", { dim_ordering: "th" }, from("merge_1")),
            layer("Dense", "dense_1", { output_dim: 5 }, from("g")),
          ],
          ["in"],
          ["dense_1"],
        ),
        {
          convolution2d_1: { convolution2d_1_W: [4, 3, 3, 3], convolution2d_1_b: [4] },
          convolution2d_2: { convolution2d_2_W: [4, 3, 1, 1], convolution2d_2_b: [4] },
          dense_1: { dense_1_W: [4, 5], dense_1_b: [5] },
        },
      ),
    wires: [
      "convolution2d_1_W: in -> convolution2d_1_W [out4 in3 tap3 tap3]",
      "convolution2d_2_W: in -> convolution2d_1_W [out4 in3 tap1 tap1]",
      "dense_1_W: convolution2d_1_W -> dense_1_W [in4 out5]",
    ],
  },
  {
    name: "Keras 3: groups by class and counter, not by the layers' names; operations as nodes",
    model: () =>
      keras3(
        functional(
          [
            input("in", 3),
            layer("Dense", "dense_7", {}, [call("in")]),
            layer("Dense", "head", {}, [call("dense_7")]),
            { ...layer("Add", "add_1", {}, [call("head", "in")]), module: "keras.src.ops.numpy" },
            layer("Add", "sum", {}, [call(["add_1", "in"])]),
            layer("Dense", "dense", {}, [call("sum")]),
          ],
          ["in"],
          ["dense"],
        ),
        { dense: [[3, 2]], dense_1: [[2, 3]], dense_2: [[3, 1]] },
      ),
    wires: [
      "layers/dense/vars/0: in -> layers/dense/vars/0 [in3 out2]",
      "layers/dense_1/vars/0: layers/dense/vars/0 -> in [in2 out3]",
      "layers/dense_2/vars/0: in -> layers/dense_2/vars/0 [in3 out1]",
    ],
  },
  {
    name: "a model inside a model, used twice",
    model: () =>
      keras3(
        functional(
          [
            input("a", 2),
            input("b", 2),
            {
              ...sequential(input("x", 2), layer("Dense", "inner")),
              name: "tower",
              inbound_nodes: [call("a"), call("b")],
            },
            layer("Concatenate", "both", {}, [
              call([
                ["tower", 0],
                ["tower", 1],
              ]),
            ]),
            layer("Dense", "out", {}, [call("both")]),
          ],
          ["a", "b"],
          ["out"],
        ),
        { "sequential/layers/dense": [[2, 3], [3]], dense: [[6, 1], [1]] },
      ),
    wires: [
      "layers/sequential/layers/dense/vars/0: a -> layers/sequential/layers/dense/vars/0 [in2 out3]",
      "layers/sequential/layers/dense/vars/0: b -> layers/sequential/layers/dense/vars/0 [in2 out3]",
      "layers/dense/vars/0: layers/sequential/layers/dense/vars/0 -> layers/dense/vars/0 [in6 out1]",
    ],
  },
  {
    name: "einsum, over time, separable, locally connected, an embedding",
    model: () =>
      keras2(
        sequential(
          input("in", null),
          layer("Embedding", "e"),
          layer("SeparableConv1D", "s"),
          layer("TimeDistributed", "t", { layer: layer("Dense", "inner") }),
          layer("EinsumDense", "x", { equation: "abc,cd->abd" }),
          layer("LocallyConnected1D", "l", { kernel_size: [2] }),
        ),
        {
          e: { "e/embeddings:0": [9, 4] },
          s: {
            "s/depthwise_kernel:0": [3, 4, 2],
            "s/pointwise_kernel:0": [1, 8, 5],
            "s/bias:0": [5],
          },
          t: { "t/kernel:0": [5, 6], "t/bias:0": [6] },
          x: { "x/kernel:0": [6, 7] },
          l: { "l/kernel:0": [3, 14, 2], "l/bias:0": [3, 2] },
        },
      ),
    wires: [
      "e/embeddings:0: e words -> e/embeddings:0 [in9 out4]",
      "s/depthwise_kernel:0: e/embeddings:0 -> s/depthwise_kernel:0 [tap3 group4 out2]",
      "s/pointwise_kernel:0: s/depthwise_kernel:0 -> s/pointwise_kernel:0 [tap1 in8 out5]",
      "t/kernel:0: s/pointwise_kernel:0 -> t/kernel:0 [in5 out6]",
      "x/kernel:0: t/kernel:0 -> x/kernel:0 [in6 out7]",
      "l/kernel:0: x/kernel:0 -> l/kernel:0 [tap3 tap2 in7 out2]",
    ],
  },
  {
    name: "transposed and grouped convolutions, joined along channels and along places",
    model: () =>
      keras2(
        functional(
          [
            input("in", 8, 8, 4),
            layer("Conv2DTranspose", "up", {}, from("in")),
            layer("Conv2D", "grouped", { groups: 2 }, from("in")),
            layer("Concatenate", "beside", { axis: 3 }, from("up", "grouped")),
            layer("Concatenate", "below", { axis: 1 }, from("beside", "beside")),
            layer("Conv2D", "last", {}, from("below")),
          ],
          ["in"],
          ["last"],
        ),
        {
          up: { "up/kernel:0": [2, 2, 6, 4] },
          grouped: { "grouped/kernel:0": [1, 1, 2, 6] },
          last: { "last/kernel:0": [1, 1, 12, 1] },
        },
      ),
    wires: [
      "up/kernel:0: in -> up/kernel:0 [tap2 tap2 out6 in4]",
      "grouped/kernel:0: in -> grouped/kernel:0 [tap1 tap1 in2 group2 out3]",
      "last/kernel:0: up/kernel:0+grouped/kernel:0 -> last/kernel:0 [tap1 tap1 in12 out1]",
    ],
  },
  {
    name: "calls of TensorFlow in Keras 2: a sum, a slice of channels, a join",
    model: () =>
      keras2(
        functional(
          [
            input("in", 4),
            layer("Dense", "d", {}, from("in")),
            layer("TFOpLambda", "tf.math.add", { function: "math.add" }, [
              ["d", 0, 0, { y: ["in", 0, 0], name: null }],
            ]),
            layer("SlicingOpLambda", "cut", { function: "__operators__.getitem" }, [
              [
                "tf.math.add",
                0,
                0,
                {
                  slice_spec: [
                    { start: null, stop: null, step: null },
                    { start: 1, stop: 3, step: null },
                  ],
                },
              ],
            ]),
            layer("TFOpLambda", "tf.concat", { function: "concat" }, [
              [
                ["cut", 0, 0, { axis: -1 }],
                ["d", 0, 0, { axis: -1 }],
              ],
            ]),
            layer("Dense", "e", {}, from("tf.concat")),
          ],
          ["in"],
          ["e"],
        ),
        { d: { "d/kernel:0": [4, 4] }, e: { "e/kernel:0": [6, 1] } },
      ),
    wires: ["d/kernel:0: in -> in [in4 out4]", "e/kernel:0: in -> e/kernel:0 [in6 out1]"],
  },
  {
    name: "what nobody described is named and passes channels on",
    model: () =>
      keras2(
        sequential(
          input("in", 3),
          layer("Lambda", "l"),
          layer("MyLayer", "m"),
          layer("Dense", "d"),
        ),
        {
          d: { "d/kernel:0": [3, 1] },
          m: { "m/scale:0": [3] },
        },
      ),
    wires: ["d/kernel:0: in -> d/kernel:0 [in3 out1]"],
    warnings: ["OPERATOR_UNKNOWN"],
  },
];

test.each(rows)("$name", async ({ model: make, wires, warnings = [] }) => {
  const model = await make();
  expect(wiresOf(model)).toEqual(wires);
  expect(model.warnings.map(({ code }) => code)).toEqual(warnings);
  expect(coverageOf(model).share).toBe(1);
});

test("a subclassed model's weights are chained, its configuration is said to list nothing", async () => {
  const config = { class_name: "MyModel", config: { hidden: 3 } };
  const model = await keras3(config, {
    "encoder/fc1": [[2, 3], [3]],
    norm: [[3], [3]],
    seed_generator: [],
  });
  expect(model.topology.certainty).toBe("inferred");
  expect(model.warnings.map(({ code }) => code)).toEqual([
    "TOPOLOGY_INFERRED",
    "CONFIG_WITHOUT_LAYERS",
  ]);
  expect(model.tensors.map(({ name, role }) => [name, role])).toEqual([
    ["layers/encoder/fc1/vars/0", "weight"],
    ["layers/encoder/fc1/vars/1", "bias"],
    ["layers/norm/vars/0", "normalisation"],
    ["layers/norm/vars/1", "normalisation"],
  ]);
});

test("weights that no layer uses are named and not explained", async () => {
  const model = await keras2(sequential(input("in", 3), layer("Dense", "d")), {
    d: { "d/kernel:0": [3, 1] },
    ghost: { "ghost/kernel:0": [3, 1] },
  });
  expect(model.warnings).toEqual([
    { code: "WEIGHTS_UNUSED", message: "no layer of the configuration uses ghost/kernel:0" },
  ]);
  expect(coverageOf(model).share).toBe(0.5);
});
