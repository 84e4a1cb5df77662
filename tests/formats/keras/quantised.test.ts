import * as h5wasm from "h5wasm";
import { expect, test } from "vitest";
import { joinPieces, memorySource, patchModel, readModel } from "../../../src/index.ts";

type Numbers = Float32Array | Int8Array;

/** Variables of Keras 3, in order, by group; types as their arrays have them. */
async function file(
  groups: Readonly<Record<string, readonly (readonly [Numbers, number[]])[]>>,
): Promise<Uint8Array> {
  const module = await h5wasm.ready;
  const own = new h5wasm.File("coded.h5", "w");
  const layers = own.create_group("layers");
  for (const [name, variables] of Object.entries(groups)) {
    const vars = layers.create_group(name).create_group("vars");
    variables.forEach(([data, shape], i) => vars.create_dataset({ name: String(i), data, shape }));
  }
  own.flush();
  own.close();
  return (module.FS as unknown as { readFile(name: string): Uint8Array })
    .readFile("coded.h5")
    .slice();
}

const bytes = await file({
  dense: [
    [Int8Array.of(10, -20, 30, 40, 127, -127), [2, 3]],
    [Float32Array.of(1, 2, 3), [3]],
    [Float32Array.of(10, 20, 40), [3]],
  ],
  embedding: [
    [Int8Array.of(4, 8, -6, 3), [2, 2]],
    [Float32Array.of(4, 3), [2]],
  ],
});

test("codes are divided by the scale of their output, of an embedding by that of their row", async () => {
  const model = await readModel(memorySource(bytes, "coded.weights.h5"));
  const found = model.tensors.map(({ name, role, quantisation }) => [name, role, quantisation]);
  expect(found).toEqual([
    ["layers/dense/vars/0", "weight", "int8, a scale for each output"],
    ["layers/dense/vars/1", "bias", undefined],
    ["layers/dense/vars/2", "normalisation", undefined],
    ["layers/embedding/vars/0", "weight", "int8, a scale for each row"],
    ["layers/embedding/vars/1", "normalisation", undefined],
  ]);
  expect(await model.tensors[0]!.read()).toEqual(Float32Array.of(1, -1, 0.75, 4, 6.35, -3.175));
  expect(await model.tensors[0]!.readSpan!(2, 5)).toEqual(Float32Array.of(0.75, 4, 6.35));
  expect(await model.tensors[3]!.read()).toEqual(Float32Array.of(1, 2, -2, 1));
});

test("new weights become the nearest codes", async () => {
  const source = memorySource(bytes, "coded.weights.h5");
  const model = await readModel(source);
  const fresh = Float32Array.of(1.04, -1, 0.75, 4, 6.35, -100);
  const [patched] = await patchModel(source, model, new Map([["layers/dense/vars/0", fresh]]));
  const again = await readModel(
    memorySource(await joinPieces(patched!.pieces), "coded.weights.h5"),
  );
  expect(await again.tensors[0]!.read()).toEqual(Float32Array.of(1, -1, 0.75, 4, 6.35, -3.2));
  const nothing = new Map([["layers/dense/vars/0", new Float32Array(6).fill(NaN)]]);
  await expect(patchModel(source, model, nothing)).rejects.toMatchObject({
    code: "FORMAT_UNSUPPORTED",
  });
});
