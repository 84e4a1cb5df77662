import { describe, expect, test } from "vitest";
import { addBiasNodes } from "../../../src/graph/addBiasNodes.ts";
import { signedWeights } from "../../../src/graph/block.ts";
import { layeredGraph } from "../../../src/graph/layeredGraph.ts";
import { foldNormalisation } from "../../../src/model/foldNormalisation.ts";
import { readModel, type Model } from "../../../src/index.ts";
import { openModel } from "../../../src/node.ts";
import { weightgraphJson } from "../../helpers/commandLine.ts";
import type { Valued } from "../../helpers/hdf5.ts";
import {
  from,
  functional,
  input,
  keras2,
  keras3,
  layer,
  sequential,
} from "../../helpers/kerasConfig.ts";
import { hasSharedData, sharedPath } from "../../helpers/shared.ts";
import { tfjsSource } from "../../helpers/tfjs.ts";

type Config = Readonly<Record<string, unknown>>;

const vector = (...values: readonly number[]): Valued => ({ shape: [values.length], values });
const kernel: Valued = { shape: [1, 1, 2, 2], values: [1, 2, 3, 4] };
const convolution = { "conv/kernel:0": kernel, "conv/bias:0": vector(1, -1) };
const statistics = { "bn/moving_mean:0": vector(1, 0), "bn/moving_variance:0": vector(3, 0) };
const normalisation = {
  "bn/gamma:0": vector(4, 3),
  "bn/beta:0": vector(0, 5),
  ...statistics,
};
const head = { "fc/kernel:0": { shape: [2, 1], values: [7, 8] }, "fc/bias:0": vector(9) };
const bn = (config: Config = {}): Config =>
  layer("BatchNormalization", "bn", { axis: [3], epsilon: 1, ...config }, from("conv"));

/** A 1 x 1 convolution with a bias, `between`, and a dense layer. */
const inRow = (between: readonly Config[], convolved: Config = {}): Config =>
  sequential(
    layer("Conv2D", "conv", { batch_input_shape: [null, 1, 1, 2], ...convolved }),
    ...between,
    layer("GlobalAveragePooling2D", "pool"),
    layer("Dense", "fc", { activation: "softmax" }),
  );
const row = (between: readonly Config[], convolved: Config = {}): Promise<Model> =>
  keras2(inRow(between, convolved), { conv: convolution, bn: normalisation, fc: head });

const folded = async (model: Model): Promise<unknown> => {
  const own = foldNormalisation(model);
  const { blocks } = await layeredGraph(own);
  const [first] = own.layers;
  return {
    names: own.folded?.length,
    weights: blocks.map((block) => Array.from(signedWeights(block))),
    bias: Array.from((await first!.bias?.read()) ?? []),
  };
};

// Factors 4 / sqrt(3 + 1) = 2 and 3 / sqrt(0 + 1) = 3; biases 2 (1 - 1) + 0 and 3 (-1 - 0) + 5.
const expected = {
  names: 1,
  weights: [
    [2, 6, 6, 12],
    [7, 8],
  ],
  bias: [0, 2],
};

const bytesOf = ({ values }: Valued): Uint8Array =>
  new Uint8Array(Float32Array.from(values).buffer);

describe("a batch normalisation is folded into the convolution before it (hand)", () => {
  test.each([
    { name: "HDF5", model: () => row([bn()]) },
    {
      name: "HDF5, a linear activation between",
      model: () => row([layer("Activation", "a", { activation: "linear" }), bn()]),
    },
    {
      name: "HDF5, the convolution's activation spelled out as linear",
      model: () => row([bn()], { activation: { class_name: "function", config: "linear" } }),
    },
    {
      name: ".keras",
      model: () =>
        keras3(inRow([bn({ axis: -1 })]), {
          conv2d: [kernel, vector(1, -1)],
          batch_normalization: Object.values(normalisation),
          dense: Object.values(head),
        }),
    },
    {
      name: "TensorFlow.js",
      model: () =>
        readModel(
          tfjsSource(
            inRow([bn()]),
            Object.entries({ ...convolution, ...normalisation, ...head }).map(([own, of]) => ({
              name: own.replace(":0", ""),
              shape: of.shape,
              bytes: bytesOf(of),
            })),
          ),
        ),
    },
  ])("$name", async ({ model }) => {
    expect(await folded(await model())).toEqual(expected);
  });

  // Without a scale the factors are 1 / 2 and 1; without a centre shifts are 0.
  test.each([
    { config: { scale: false }, left: [1], factors: [0.5, 1], bias: [0, 4] },
    { config: { center: false }, left: [0], factors: [2, 3], bias: [0, -3] },
    {
      config: { scale: false, center: false },
      left: [] as number[],
      factors: [0.5, 1],
      bias: [0, -1],
    },
  ])("without what $config leaves out", async ({ config, left, factors, bias }) => {
    const vectors = [vector(4, 3), vector(0, 5)];
    const kept = left.map((at) => vectors[at]!);
    const names = ["bn/gamma:0", "bn/beta:0"].filter((_, at) => left.includes(at));
    const named = Object.fromEntries(names.map((name, at) => [name, kept[at]!]));
    const models = [
      await keras3(inRow([bn(config)]), {
        conv2d: [kernel, vector(1, -1)],
        batch_normalization: [...kept, ...Object.values(statistics)],
        dense: Object.values(head),
      }),
      await keras2(inRow([bn(config)]), {
        conv: convolution,
        bn: { ...named, ...statistics },
        fc: head,
      }),
    ];
    const [a, b] = factors as [number, number];
    for (const model of models) {
      const weights = [[1 * a, 3 * a, 2 * b, 4 * b], expected.weights[1]];
      expect(await folded(model)).toEqual({ names: 1, weights, bias });
    }
  });

  test("epsilon is Keras' own where the file has none", async () => {
    const model = await row([layer("BatchNormalization", "bn", { axis: -1 })]);
    expect(model.layers[0]!.normalisation).toMatchObject({ epsilon: 1e-3 });
  });

  test("of a separable convolution: into its pointwise kernel", async () => {
    const config = sequential(
      layer("SeparableConv2D", "conv", { batch_input_shape: [null, 4, 4, 2] }),
      bn(),
    );
    const depthwise = { "conv/depthwise_kernel:0": [1, 1, 2, 1] };
    const pointwise = { "conv/pointwise_kernel:0": kernel, "conv/bias:0": vector(1, -1) };
    const model = await keras2(config, {
      conv: { ...depthwise, ...pointwise },
      bn: normalisation,
    });
    const [first, second] = model.layers;
    expect(first).toMatchObject({ kind: "depthwise", bias: null });
    expect(first!.normalisation).toBeUndefined();
    expect(second).toMatchObject({ kind: "pointwise", bias: { name: "conv/bias:0" } });
    expect(await foldNormalisation(model).layers[1]!.tensor.read()).toEqual(
      Float64Array.of(2, 6, 6, 12),
    );
  });
});

const x = input("x", 1, 1, 2);
const conv = layer("Conv2D", "conv", {}, from("x"));
const stored = { conv: convolution, bn: normalisation };

describe("a normalisation stays as it is", () => {
  test.each([
    { name: "behind the layer's own activation", model: () => row([bn()], { activation: "relu" }) },
    { name: "behind an activation", model: () => row([layer("ReLU", "relu"), bn()]) },
    { name: "behind a pool", model: () => row([layer("MaxPooling2D", "max"), bn()]) },
    { name: "along another axis", model: () => row([bn({ axis: 1 })]) },
    { name: "that takes each sample by itself (mode 1)", model: () => row([bn({ mode: 1 })]) },
    { name: "without a scale that it declares", model: () => withoutScale() },
    {
      name: "of an output that is read elsewhere too",
      model: () =>
        keras2(
          functional([x, conv, bn(), layer("Add", "y", {}, from("conv", "bn"))], ["x"], ["y"]),
          stored,
        ),
    },
    {
      name: "of an output of the model",
      model: () => keras2(functional([x, conv, bn()], ["x"], ["conv", "bn"]), stored),
    },
    {
      name: "called as in training",
      model: () => {
        const called = [[["conv", 0, 0, { training: true }]]];
        return keras2(
          functional([x, conv, { ...bn(), inbound_nodes: called }], ["x"], ["bn"]),
          stored,
        );
      },
    },
    {
      name: "of one use of a layer that is used twice",
      model: () => {
        const twice = [[["x", 0, 0, {}]], [["x", 0, 0, {}]]];
        const layers = [
          x,
          { ...conv, inbound_nodes: twice },
          bn(),
          layer("Add", "y", {}, [
            [
              ["conv", 1, 0, {}],
              ["bn", 0, 0, {}],
            ],
          ]),
        ];
        return keras2(functional(layers, ["x"], ["y"]), stored);
      },
    },
  ])("$name", async ({ model }) => {
    const own = await model();
    expect(own.layers[0]).toMatchObject({ bias: { name: "conv/bias:0" } });
    expect(() => foldNormalisation(own)).toThrowError(
      expect.objectContaining({ code: "NORMALISATION_UNKNOWN" }),
    );
  });

  test("and is folded where a nested model has both and is used twice", async () => {
    const inner = functional([x, conv, bn()], ["x"], ["bn"]);
    const twice = [[["a", 0, 0, {}]], [["b", 0, 0, {}]]];
    const nested = { ...inner, name: "net", inbound_nodes: twice };
    const sum = layer("Add", "y", {}, [
      [
        ["net", 0, 0, {}],
        ["net", 1, 0, {}],
      ],
    ]);
    const outer = functional(
      [input("a", 1, 1, 2), input("b", 1, 1, 2), nested, sum],
      ["a", "b"],
      ["y"],
    );
    const model = await keras2(outer, { net: { ...convolution, ...normalisation } });
    expect(foldNormalisation(model).folded).toEqual(["conv/kernel:0"]);
  });
});

function withoutScale(): Promise<Model> {
  const { "bn/gamma:0": _gamma, ...others } = normalisation;
  return keras2(inRow([bn()]), { conv: convolution, bn: others, fc: head });
}

describe("biases", () => {
  test("of each layer have a node (hand)", async () => {
    const model = await row([layer("ReLU", "relu")]);
    const { graph, unknown } = await addBiasNodes(await layeredGraph(model), model);
    expect(unknown).toEqual([]);
    const biases = graph.blocks.filter(({ kind }) => kind === "bias");
    expect(biases.map((block) => Array.from(signedWeights(block)))).toEqual([[1, -1], [9]]);
  });

  test.each([
    {
      name: "none in the file: null",
      model: () => keras2(sequential(layer("Dense", "fc")), { fc: { "fc/kernel:0": [2, 1] } }),
      biases: [null],
    },
    {
      name: "declared but not in the file: not known",
      model: () =>
        keras2(sequential(layer("Dense", "fc", { use_bias: true })), {
          fc: { "fc/kernel:0": [2, 1] },
        }),
      biases: [undefined],
    },
    {
      name: "a number for each position: not known",
      model: () =>
        keras2(
          sequential(
            layer("LocallyConnected1D", "fc", {
              kernel_size: [1],
              batch_input_shape: [null, 3, 2],
            }),
          ),
          { fc: { "fc/kernel:0": [3, 2, 2], "fc/bias:0": [3, 2] } },
        ),
      biases: [undefined],
    },
    {
      name: "attention: each projection's own",
      model: () => {
        const one = (part: string): Record<string, readonly number[]> => ({
          [`mha/${part}/kernel:0`]: [4, 2, 2],
          [`mha/${part}/bias:0`]: [2, 2],
        });
        const out = { "mha/attention_output/kernel:0": [2, 2, 4] };
        const at = layer("MultiHeadAttention", "mha", {}, from("x", "x"));
        return keras2(functional([input("x", 3, 4), at], ["x"], ["mha"]), {
          mha: { ...one("query"), ...one("key"), ...one("value"), ...out },
        });
      },
      biases: ["mha/query/bias:0", "mha/key/bias:0", "mha/value/bias:0", null],
    },
    {
      name: "gates of a recurrent layer: not known",
      model: () =>
        keras2(sequential(layer("LSTM", "l", { batch_input_shape: [null, 3, 2] })), {
          l: { "l/kernel:0": [2, 4], "l/recurrent_kernel:0": [1, 4], "l/bias:0": [4] },
        }),
      biases: [undefined, undefined],
    },
    {
      name: "embedding: null",
      model: () =>
        keras2(sequential(layer("Embedding", "e", { batch_input_shape: [null, 3] })), {
          e: { "e/embeddings:0": [5, 2] },
        }),
      biases: [null],
    },
  ])("$name", async ({ model, biases }) => {
    const { layers } = await model();
    expect(layers.map(({ bias }) => (bias ? bias.name : bias))).toEqual(biases);
  });
});

interface Analysis extends Record<string, unknown> {
  readonly graph: Readonly<Record<"nodes" | "biasNodes", number>> & {
    readonly foldedNormalisation: readonly string[];
  };
}

describe.skipIf(!hasSharedData)("trained networks", () => {
  test.each([
    { file: "keras-h5/pretrainedResnet.h5", tied: 7 },
    { file: "keras-h5/tiny_XCEPTION_KDEF.hdf5", tied: 14 },
    { file: "checkpoints/mini_xception/fer2013_mini_XCEPTION.99-0.65.hdf5", tied: 14 },
  ])("$file: every normalisation is tied, and folded as it computes (oracle)", async (row) => {
    const model = await openModel(sharedPath(row.file));
    const byName = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
    const means = [...byName.keys()].filter((name) => name.includes("moving_mean"));
    const tied = model.layers.flatMap(({ normalisation: own }) => own?.mean.name ?? []);
    expect(tied).toHaveLength(row.tied);
    expect(tied.toSorted()).toEqual(means.toSorted());
    const changed = foldNormalisation(model);
    for (const [i, { tensor, normalisation: own }] of model.layers.entries()) {
      if (!own) continue;
      const beside = async (name: string): Promise<ArrayLike<number>> =>
        byName.get(own.mean.name.replace("moving_mean", name))!.read();
      const [gamma, variance] = [await beside("gamma"), await beside("moving_variance")];
      const before = await tensor.read();
      const after = await changed.layers[i]!.tensor.read();
      // Kernels are [...taps, in, out].
      const worst = Math.max(
        ...Array.from(before, (weight, at) => {
          const o = at % gamma.length;
          return Math.abs(after[at]! - (weight * gamma[o]!) / Math.sqrt(variance[o]! + 1e-3));
        }),
      );
      expect(worst).toBeLessThan(1e-12);
    }
  });

  test("on the command line", async () => {
    const file = sharedPath("keras-h5/pretrainedResnet.h5");
    const plain = (await weightgraphJson(["analyze", file])) as Analysis;
    const biased = (await weightgraphJson(["analyze", file, "--bias-nodes"])) as Analysis;
    const changed = (await weightgraphJson(["analyze", file, "--fold-norm"])) as Analysis;
    expect(plain.graph).toMatchObject({ biasNodes: 0, foldedNormalisation: [] });
    // Nine convolutions and a dense layer, all with a bias.
    expect(biased.graph).toMatchObject({ biasNodes: 10, nodes: plain.graph.nodes + 10 });
    // The other two are the 1 x 1 convolutions of the shortcuts, which no normalisation follows.
    expect(changed.graph.foldedNormalisation).toEqual(
      ["", "_1", "_2", "_3", "_4", "_6", "_7"].map((own) => `conv2d${own}/kernel:0`),
    );
  });
});
