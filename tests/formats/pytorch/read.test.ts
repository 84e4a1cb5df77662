import { describe, expect, test } from "vitest";
import { isWeightGraphError, memorySource, readModel } from "../../../src/index.ts";
import { zipBytes } from "../../helpers/numpy.ts";
import { checkpointPickle, legacyFile, type PickledTensor } from "../../helpers/pickle.ts";

const tensors: readonly PickledTensor[] = [
  { name: "0.weight", shape: [2, 3], strides: [3, 1], key: "0" },
  { name: "turned", shape: [3, 2], strides: [1, 3], key: "0" },
  { name: "0.bias", shape: [2], strides: [1], key: "1" },
];
const storages = { "0": Float32Array.of(1, 2, 3, 4, 5, 6), "1": Float32Array.of(7, 8) };
const raw = (values: Float32Array): Uint8Array => new Uint8Array(values.buffer);
const archive = (pickle: Uint8Array): Promise<Uint8Array> =>
  zipBytes({
    "net/data.pkl": pickle,
    "net/data/0": raw(storages[0]),
    "net/data/1": raw(storages[1]),
  });

test.each([
  { name: "an archive", bytes: await archive(checkpointPickle(tensors)) },
  { name: "the older layout", bytes: legacyFile(tensors, storages) },
])("$name: the state dict of a checkpoint, strides followed", async ({ bytes }) => {
  const model = await readModel(memorySource(bytes, "net.pt"));
  expect(model.format).toBe("pytorch");
  expect(model.tensors.map(({ name, role }) => [name, role])).toEqual([
    ["0.weight", "weight"],
    ["turned", "weight"],
    ["0.bias", "bias"],
  ]);
  const values = await Promise.all(model.tensors.map((tensor) => tensor.read()));
  expect(values.map((own) => Array.from(own))).toEqual([
    [1, 2, 3, 4, 5, 6],
    [1, 4, 2, 5, 3, 6],
    [7, 8],
  ]);
});

test("in the older layout plain tensors have a place in the file", async () => {
  const bytes = legacyFile(tensors, storages);
  const { tensors: read } = await readModel(memorySource(bytes));
  const { offset, byteLength } = read[0]!.location!;
  expect(bytes.slice(offset, offset + byteLength)).toEqual(raw(storages[0]));
  expect(read[1]!.location).toBeUndefined();
});

const one = tensors[0]!;
describe("what a state dict may not be", () => {
  test.each([
    {
      name: "past its storage",
      pickle: checkpointPickle([{ ...one, shape: [2, 4] }]),
      code: "FORMAT_MALFORMED",
    },
    {
      name: "expanded without end",
      pickle: checkpointPickle([{ ...one, shape: [60_000, 60_000, 3], strides: [0, 0, 1] }]),
      code: "FORMAT_LIMIT",
    },
    {
      name: "without its storage",
      pickle: checkpointPickle([{ ...one, key: "5" }]),
      code: "FORMAT_TRUNCATED",
    },
    { name: "without tensors", pickle: checkpointPickle([]), code: "FORMAT_UNSUPPORTED" },
    { name: "cut short", pickle: checkpointPickle(tensors).slice(0, -9), code: "FORMAT_TRUNCATED" },
    {
      name: "an empty stack",
      pickle: Uint8Array.of(0x80, 2, 0x52, 0x2e),
      code: "FORMAT_MALFORMED",
    },
    { name: "an unknown opcode", pickle: Uint8Array.of(0x80, 2, 0xff), code: "FORMAT_UNSUPPORTED" },
  ] as const)("$name", async ({ pickle, code }) => {
    const error: unknown = await readModel(memorySource(await archive(pickle))).catch((e) => e);
    expect(isWeightGraphError(error, code), String(error)).toBe(true);
  });

  test("a call of anything else stays a record", async () => {
    const evil = [
      0x63,
      ...new TextEncoder().encode("os\nsystem\n"),
      0x58,
      2,
      0,
      0,
      0,
      0x6c,
      0x73,
      0x85,
      0x52,
    ];
    const pickle = Uint8Array.from([0x80, 2, ...evil, 0x2e]);
    const error: unknown = await readModel(memorySource(await archive(pickle))).catch((e) => e);
    expect(isWeightGraphError(error, "FORMAT_UNSUPPORTED"), String(error)).toBe(true);
  });
});
