import { describe, expect, test } from "vitest";
import { createRandom } from "../../src/random.ts";
import { rewireModel } from "../../src/rewrite/rewireModel.ts";
import { rewirePreferentially } from "../../src/rewrite/rewirePreferentially.ts";
import { weightLayout } from "../../src/tensor/layout.ts";
import { memoryModel } from "../helpers/memoryModel.ts";

const gaussian = (length: number, seed: number): Float32Array => {
  const random = createRandom(seed);
  return Float32Array.from({ length }, () => random.normal());
};
const dense = {
  name: "dense",
  values: gaussian(20, 1),
  layout: weightLayout([5, 4], ["out", "in"]),
} as const;
const deterministic = { method: "deterministic" } as const;

test("a kernel stored [h, w, in, out] is rewired as [out, in * h * w] and put back (hand)", async () => {
  const values = gaussian(24, 2);
  const layout = weightLayout([2, 2, 2, 3], ["tap", "tap", "in", "out"]);
  const { changes, layers, model } = await rewireModel(
    memoryModel([{ name: "conv", kind: "conv", values, layout }]),
    deterministic,
  );
  // Stored position (h, w, i, o) is matrix position (o, i, h, w).
  const stored = (row: number, column: number): number => {
    const [channel, tap] = [Math.floor(column / 4), column % 4];
    return (tap * 2 + channel) * 3 + row;
  };
  const matrix = new Float32Array(24);
  for (let r = 0; r < 3; r++) for (let c = 0; c < 8; c++) matrix[r * 8 + c] = values[stored(r, c)]!;
  const expected = rewirePreferentially({ weights: matrix, rows: 3, columns: 8 }, deterministic);
  const changed = changes.get("conv.weight")!;
  for (let r = 0; r < 3; r++) {
    for (let c = 0; c < 8; c++) expect(changed[stored(r, c)]).toBe(expected.weights[r * 8 + c]);
  }
  const { weights: _, ...report } = expected;
  expect(layers).toEqual([{ layer: "conv", tensor: "conv.weight", rows: 3, columns: 8, report }]);
  expect(await model.layers[0]!.tensor.read()).toBe(changed);
});

test("a grouped convolution uses in / groups columns, as the authors' code does", async () => {
  const layout = weightLayout([2, 3, 2, 3], ["group", "out", "in", "tap"]);
  const { layers } = await rewireModel(
    memoryModel([{ name: "grouped", kind: "conv", values: gaussian(36, 3), layout }]),
  );
  expect(layers).toMatchObject([{ rows: 6, columns: 6 }]);
});

test("the old model is untouched, the new one shares what was not rewired", async () => {
  const other = { ...dense, name: "recurrent", kind: "recurrent_R" } as const;
  const before = memoryModel([dense, other]);
  const kept = dense.values.slice();
  const { model, changes } = await rewireModel(before, deterministic);
  expect([...changes.keys()]).toEqual(["dense.weight"]);
  expect(await before.layers[0]!.tensor.read()).toEqual(kept);
  expect(model.layers[1]).toBe(before.layers[1]);
  expect(model.tensors[1]).toBe(before.tensors[1]);
  expect(model.tensors[0]).toBe(model.layers[0]!.tensor);
  expect(model.tensors[0]!.location).toEqual(before.tensors[0]!.location);
});

test("layers can be named, and one layer's draw does not depend on the others", async () => {
  const model = memoryModel([dense, { ...dense, name: "second", values: gaussian(20, 4) }]);
  const all = await rewireModel(model, { seed: 3 });
  const one = await rewireModel(model, { seed: 3, layers: ["second"] });
  expect([...one.changes.keys()]).toEqual(["second.weight"]);
  expect(one.changes.get("second.weight")).toEqual(all.changes.get("second.weight"));
  const byTensor = await rewireModel(model, { seed: 3, layers: ["second.weight"] });
  expect(byTensor.changes).toEqual(one.changes);
});

test("a tensor that two layers use is rewired once, and that is said", async () => {
  const stored = { name: "tied" };
  const model = memoryModel([
    { ...dense, stored },
    { ...dense, name: "twin", kind: "embedding", stored },
  ]);
  const { layers, warnings, model: rewired } = await rewireModel(model, deterministic);
  expect(layers.map(({ layer }) => layer)).toEqual(["dense"]);
  expect(warnings).toMatchObject([{ code: "TENSOR_SHARED" }]);
  expect(rewired.warnings).toEqual(warnings);
  expect(rewired.layers[1]!.tensor).toBe(rewired.layers[0]!.tensor);
});

describe("what cannot be written back is left alone, with a warning", () => {
  test.each<{ name: string; stored: Parameters<typeof memoryModel>[0][number]["stored"] }>([
    { name: "a quantised tensor", stored: { dtype: "int8", quantisation: "per tensor" } },
    { name: "integers", stored: { dtype: "int32" } },
    { name: "8-bit floats", stored: { dtype: "float8_e4m3" } },
    { name: "a tensor without elements", stored: { shape: [0, 4] } },
  ])("$name", async ({ stored = {} }) => {
    const { changes, warnings } = await rewireModel(memoryModel([{ ...dense, stored }]));
    expect(changes.size).toBe(0);
    expect(warnings).toMatchObject([{ code: "TENSOR_NOT_REWRITTEN" }]);
  });

  test("a tensor without a place in the file, unless that is wanted", async () => {
    const model = memoryModel([dense]);
    const { location: _, ...unplaced } = model.tensors[0]!;
    const computed = { ...model, layers: [{ ...model.layers[0]!, tensor: unplaced }] };
    expect((await rewireModel(computed)).warnings).toMatchObject([
      { code: "TENSOR_NOT_REWRITTEN" },
    ]);
    expect((await rewireModel(computed, { onlyPatchable: false })).changes.size).toBe(1);
  });
});

test("an unknown layer, weights that are not finite and an abort are errors", async () => {
  await expect(rewireModel(memoryModel([dense]), { layers: ["absent"] })).rejects.toMatchObject({
    code: "USAGE_INVALID_OPTION",
    path: ["memory"],
  });
  const values = Float32Array.from(dense.values, (value, i) => (i === 7 ? Infinity : value));
  await expect(rewireModel(memoryModel([{ ...dense, values }]))).rejects.toMatchObject({
    code: "WEIGHTS_NOT_FINITE",
    path: ["memory", "dense"],
  });
  await expect(
    rewireModel(memoryModel([dense]), { signal: AbortSignal.abort() }),
  ).rejects.toMatchObject({ name: "AbortError" });
});

test("progress is told from none to all", async () => {
  const seen: string[] = [];
  await rewireModel(memoryModel([dense, { ...dense, name: "second" }]), {
    onProgress: (done, total) => seen.push(`${done}/${total}`),
  });
  expect(seen).toEqual(["0/2", "1/2", "2/2"]);
});
