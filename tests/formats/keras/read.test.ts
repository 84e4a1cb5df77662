import { describe, expect, test } from "vitest";
import { isWeightGraphError, memorySource, openSeries, readModel } from "../../../src/node.ts";
import { keras3File, kerasFile } from "../../helpers/hdf5.ts";
import { zipBytes } from "../../helpers/numpy.ts";
import { hasSharedData, sharedPath } from "../../helpers/shared.ts";
import { wiresOf } from "../../helpers/topology.ts";

const dense = (name: string): object => ({ class_name: "Dense", config: { name } });
const layers = [
  { name: "a", weights: { "a_1/kernel:0": [2, 3], "a_1/bias:0": [3] } },
  { name: "pool", weights: {} },
  { name: "b", weights: { "b_1/kernel:0": [3, 1] } },
];

test("a full model: names as stored, topology from the configuration", async () => {
  const config = { class_name: "Sequential", config: [dense("a"), dense("b")] };
  const model = await readModel(memorySource(await kerasFile(layers, config), "net.h5"));
  expect(model.format).toBe("keras-h5");
  expect(model.producer).toBe("keras 2.11.0");
  expect(model.topology.certainty).toBe("declared");
  expect(wiresOf(model)).toEqual([
    "a_1/kernel:0: input -> a_1/kernel:0 [in2 out3]",
    "b_1/kernel:0: a_1/kernel:0 -> b_1/kernel:0 [in3 out1]",
  ]);
  expect(await model.layers[0]!.tensor.read()).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
});

test("weights alone are chained", async () => {
  const model = await readModel(memorySource(await kerasFile(layers)));
  expect(model.topology.certainty).toBe("inferred");
  expect(model.tensors.map(({ name, role }) => [name, role])).toEqual([
    ["a_1/kernel:0", "weight"],
    ["a_1/bias:0", "bias"],
    ["b_1/kernel:0", "weight"],
  ]);
});

test("numbered variables of Keras 3, layers in natural order", async () => {
  const bytes = await keras3File([
    ["dense_10", [[3, 1], [1]]],
    ["dense_2", [[2, 3], [3]]],
  ]);
  const model = await readModel(memorySource(bytes));
  expect(wiresOf(model)).toEqual([
    "layers/dense_2/vars/0: input -> layers/dense_2/vars/0 [in2 out3]",
    "layers/dense_10/vars/0: layers/dense_2/vars/0 -> layers/dense_10/vars/0 [in3 out1]",
  ]);
});

test("numbered variables without a configuration: gates by the group's class, biases by place", async () => {
  const bytes = await keras3File([
    ["lstm/cell", [[3, 8], [2, 8], [8]]],
    [
      "gru/cell",
      [
        [3, 6],
        [2, 6],
        [2, 6],
      ],
    ],
    ["batch_normalization", [[2], [2], [2], [2]]],
  ]);
  const model = await readModel(memorySource(bytes));
  expect(model.tensors.map(({ role }) => role)).toEqual([
    ...new Array<string>(4).fill("normalisation"),
    "weight",
    "weight",
    "bias",
    "weight",
    "weight",
    "bias",
  ]);
  expect(wiresOf(model)).toEqual([
    "layers/gru/cell/vars/0: input -> layers/gru/cell/vars/0 [in3 tap3 out2]",
    "layers/gru/cell/vars/1: layers/gru/cell/vars/0 ~> layers/gru/cell/vars/0 [in2 tap3 out2]",
    "layers/lstm/cell/vars/0: before layers/lstm/cell/vars/0 -> layers/lstm/cell/vars/0 [in3 tap4 out2]",
    "layers/lstm/cell/vars/1: layers/lstm/cell/vars/0 ~> layers/lstm/cell/vars/0 [in2 tap4 out2]",
  ]);
});

test("a configuration with Python's own numbers, texts of names that stand nowhere", async () => {
  const odd = { class_name: "Sequential", config: [dense("a"), dense("b")] };
  const bytes = await kerasFile(layers, { ...odd, limit: "@", said: "NaN \\" });
  const text = new TextDecoder("latin1").decode(bytes);
  const at = text.indexOf('"@"');
  const python = bytes.slice();
  python.set(new TextEncoder().encode("NaN"), at);
  const model = await readModel(memorySource(python, "net.h5"));
  expect(at).toBeGreaterThan(0);
  expect(model.topology.certainty).toBe("declared");
});

test("a Keras 3 archive: configuration and numbered variables", async () => {
  const recurrent = { class_name: "LSTM", config: { name: "lstm" } };
  const config = {
    class_name: "Sequential",
    config: { name: "net", layers: [recurrent, dense("fc")] },
  };
  const weights = await keras3File([
    ["fc", [[2, 1], [1]]],
    ["lstm", [[3, 8], [2, 8], [8]]],
  ]);
  const files = {
    "config.json": new TextEncoder().encode(JSON.stringify(config)),
    "model.weights.h5": weights,
  };
  const model = await readModel(memorySource(await zipBytes(files), "net.keras"));
  expect(model.format).toBe("keras-v3");
  expect(wiresOf(model)).toEqual([
    "layers/lstm/vars/0: input -> layers/lstm/vars/0 [in3 tap4 out2]",
    "layers/lstm/vars/1: layers/lstm/vars/0 ~> layers/lstm/vars/0 [in2 tap4 out2]",
    "layers/fc/vars/0: layers/lstm/vars/0 -> layers/fc/vars/0 [in2 out1]",
  ]);
});

test("HDF5 without an array", async () => {
  const error: unknown = await readModel(memorySource(await keras3File([]))).catch((e) => e);
  expect(isWeightGraphError(error, "FORMAT_NO_WEIGHTS")).toBe(true);
});

test("two files read in turns do not mix", async () => {
  const one = await readModel(memorySource(await kerasFile(layers), "one"));
  const other = await readModel(
    memorySource(await kerasFile([{ name: "a", weights: { "a/kernel:0": [1, 1] } }]), "other"),
  );
  const read = await Promise.all([...one.tensors, ...other.tensors].map((tensor) => tensor.read()));
  expect(read.map((values) => values.length)).toEqual([6, 3, 3, 1]);
});

describe.skipIf(!hasSharedData)("a real run", () => {
  test("mini_XCEPTION: twelve epochs, the accuracy of each in its name", async () => {
    const series = await openSeries(sharedPath("checkpoints/mini_xception"));
    const [first] = series.snapshots;
    expect(series.snapshots.map(({ epoch }) => epoch)).toEqual([
      0, 2, 4, 8, 12, 15, 25, 37, 51, 70, 99, 107,
    ]);
    expect(first!.metrics).toEqual({ metric: 0.47 });
    expect(series.warnings.map(({ code }) => code)).toEqual(["SERIES_GAPS"]);
    const model = await series.snapshots[11]!.load();
    expect(model.layers).toHaveLength(23);
    expect(model.topology.certainty).toBe("declared");
    expect(model.warnings).toEqual([]);
  });
});
