/** New weights into TensorFlow.js models: which bytes change in which shard, and what is refused. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  isWeightGraphError,
  joinPieces,
  patchModel,
  readModel,
  type ByteSource,
  type FloatArray,
} from "../../../src/index.ts";
import { jsonSource } from "../../helpers/tfjs.ts";

const weight = (name: string, shape: readonly number[], extra: object = {}): object => ({
  name,
  shape,
  dtype: "float32",
  ...extra,
});
const weights = [
  weight("a/kernel", [2, 3]),
  weight("q8/kernel", [3, 2], { quantization: { dtype: "uint8", scale: 0.1, min: -12.7 } }),
  weight("q16/kernel", [2, 3], { quantization: { dtype: "uint16", scale: 1e-4, min: -1 } }),
  weight("flat/kernel", [3, 1], { quantization: { dtype: "uint8", scale: 0, min: 1 } }),
  weight("half/kernel", [3, 2], { quantization: { dtype: "float16" } }),
  weight("count", [2], { dtype: "int32" }),
  weight("b/kernel", [2, 2]),
];
const byteLength = 24 + 6 + 12 + 3 + 12 + 8 + 16;
/** No bytes of a float32 or float16 NaN among them. */
const run = Uint8Array.from({ length: byteLength }, (_, i) => (i * 37) % 60);

/** The run of bytes cut into shards at `cuts`. */
function shardsAt(cuts: readonly number[]): Record<string, Uint8Array> {
  const ends = [...cuts, byteLength];
  return Object.fromEntries(ends.map((end, i) => [`g/${i}.bin`, run.slice(ends[i - 1] ?? 0, end)]));
}

function sourceOf(files: Readonly<Record<string, Uint8Array>>): ByteSource {
  return jsonSource({ weightsManifest: [{ paths: Object.keys(files), weights }] }, files);
}

async function patched(
  files: Readonly<Record<string, Uint8Array>>,
  changes: ReadonlyMap<string, FloatArray>,
): Promise<Record<string, Uint8Array>> {
  const source = sourceOf(files);
  const written = await patchModel(source, await readModel(source), changes);
  const all = await Promise.all(
    written.map(
      async ({ file, pieces }) => [file ?? "model.json", await joinPieces(pieces)] as const,
    ),
  );
  const { "model.json": json, ...shards } = Object.fromEntries(all);
  expect(json).toEqual(await source.slice(0, source.byteLength));
  return shards;
}

const joined = (files: Readonly<Record<string, Uint8Array>>): Uint8Array =>
  Uint8Array.from(Object.values(files).flatMap((bytes) => [...bytes]));

const places: readonly (readonly [string, number, number])[] = [
  ["a/kernel", 0, 24],
  ["q8/kernel", 24, 30],
  ["q16/kernel", 30, 42],
  ["half/kernel", 45, 57],
  ["count", 57, 65],
  ["b/kernel", 65, 81],
];

test.each(places)(
  "%s: its own bytes change, in whichever shards they lie",
  async (name, from, to) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(byteLength), { maxLength: 6 }), async (cuts) => {
        const files = shardsAt([...cuts].sort((a, b) => a - b));
        const tensor = (await readModel(sourceOf(files))).tensors.find((own) => own.name === name)!;
        // Another value of the same tensor for each place: always one that it can hold.
        const values = (await tensor.read()).toReversed();
        const shards = await patched(files, new Map([[name, values]]));
        for (const [file, bytes] of Object.entries(shards)) {
          expect(bytes).not.toEqual(files[file]);
        }
        const after = joined({ ...files, ...shards });
        const expected = run.slice();
        const size = (to - from) / values.length;
        for (let i = 0; i < values.length; i++) {
          expected.set(run.subarray(to - (i + 1) * size, to - i * size), from + i * size);
        }
        expect(after).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  },
);

test("the same values change no byte", async () => {
  const files = shardsAt([11, 29, 50]);
  const { tensors } = await readModel(sourceOf(files));
  const changes = new Map<string, FloatArray>();
  for (const tensor of tensors) {
    if (places.some(([name]) => name === tensor.name))
      changes.set(tensor.name, await tensor.read());
  }
  expect(joined({ ...files, ...(await patched(files, changes)) })).toEqual(run);
});

test("values go to the nearest steps (hand)", async () => {
  const files = shardsAt([]);
  const wanted = Float64Array.of(-12.7, -12.66, 12.84, 0, 0.06, -0.04);
  const shards = await patched(files, new Map([["q8/kernel", wanted]]));
  expect([...shards["g/0.bin"]!.subarray(24, 30)]).toEqual([0, 0, 255, 127, 128, 127]);
});

describe("what is refused", () => {
  test.each([
    ["q8/kernel", 12.86],
    ["q8/kernel", -12.76],
    ["q8/kernel", NaN],
    ["q16/kernel", 6],
    ["flat/kernel", 1],
    ["half/kernel", 65_520],
    ["a/kernel", 1e39],
    ["count", 2 ** 31],
  ] as const)("%s: %d", async (name, value) => {
    const source = sourceOf(shardsAt([20]));
    const model = await readModel(source);
    const { shape } = model.tensors.find((tensor) => tensor.name === name)!;
    const values = new Float64Array(shape.reduce((product, size) => product * size, 1)).fill(value);
    const error: unknown = await patchModel(source, model, new Map([[name, values]])).catch(
      (e) => e,
    );
    expect(isWeightGraphError(error, "FORMAT_UNSUPPORTED"), String(error)).toBe(true);
  });

  test("infinite halves are halves", async () => {
    const values = new Float32Array(6).fill(-Infinity);
    const shards = await patched(shardsAt([]), new Map([["half/kernel", values]]));
    expect([...shards["g/0.bin"]!.subarray(45, 47)]).toEqual([0, 0xfc]);
  });

  test("weights that stand in the JSON", async () => {
    const weightData = Buffer.from(new Float32Array(2).buffer).toString("base64");
    const source = jsonSource({ weightSpecs: [weight("w", [2, 1])], weightData }, {});
    const change = new Map([["w", new Float32Array(2)]]);
    const error: unknown = await patchModel(source, await readModel(source), change).catch(
      (e) => e,
    );
    expect(isWeightGraphError(error, "FORMAT_UNSUPPORTED"), String(error)).toBe(true);
  });
});
