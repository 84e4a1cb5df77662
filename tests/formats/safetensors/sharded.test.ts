import { describe, expect, test } from "vitest";
import {
  isWeightGraphError,
  joinPieces,
  memorySource,
  patchModel,
  readModel,
  writeSafetensors,
  type ByteSource,
  type ErrorCode,
} from "../../../src/index.ts";
import { wiresOf } from "../../helpers/topology.ts";

const shardOf = (
  name: string,
  shape: readonly number[],
  extra: readonly string[] = [],
): Uint8Array =>
  writeSafetensors({
    tensors: [name, ...extra].map((own) => ({
      name: own,
      dtype: "float32",
      shape,
      data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
    })),
    metadata: { format: "pt" },
  });

const first = "model-00001-of-00002.safetensors";
const second = "model-00002-of-00002.safetensors";
const shards = { [first]: shardOf("a.weight", [3, 2]), [second]: shardOf("b.weight", [1, 3]) };
const weightMap = { "b.weight": second, "a.weight": first };
const indexName = "model.safetensors.index.json";

function sharded(
  index: unknown = { metadata: { total_size: 36 }, weight_map: weightMap },
  files: Readonly<Record<string, Uint8Array>> = shards,
): ByteSource {
  const text = typeof index === "string" ? index : JSON.stringify(index);
  return memorySource(new TextEncoder().encode(text), indexName, files);
}

const codes = (model: { warnings: readonly { code: string }[] }): string[] =>
  model.warnings.map(({ code }) => code);

describe("a model in several files", () => {
  test("is one model", async () => {
    const model = await readModel(sharded());
    expect([model.format, model.name]).toEqual(["safetensors", indexName]);
    expect(model.tensors.map(({ name, location }) => [name, location?.file])).toEqual([
      ["a.weight", first],
      ["b.weight", second],
    ]);
    expect(wiresOf(model)).toEqual([
      "a.weight: input -> a.weight [out3 in2]",
      "b.weight: a.weight -> b.weight [out1 in3]",
    ]);
    expect(Array.from(await model.tensors[0]!.read())).toEqual([0, 1, 2, 3, 4, 5]);
    expect(Array.from(await model.tensors[0]!.readSpan!(4, 6))).toEqual([4, 5]);
    expect(codes(model)).toEqual(["TOPOLOGY_INFERRED"]);
    expect(model.metadata).toEqual({
      __metadata__: { format: "pt" },
      index: { total_size: 36 },
      shards: [first, second],
    });
  });

  test("a change is written to its shard alone", async () => {
    const source = sharded();
    const changes = new Map([["b.weight", Float32Array.of(7, 8, 9)]]);
    const files = await patchModel(source, await readModel(source), changes);
    expect(files.map(({ file }) => file)).toEqual([null, second]);
    expect(await joinPieces(files[0]!.pieces)).toEqual(await source.slice(0, source.byteLength));
    const written = await joinPieces(files[1]!.pieces);
    const wanted = shards[second].slice();
    wanted.set(new Uint8Array(Float32Array.of(7, 8, 9).buffer), wanted.byteLength - 12);
    expect(written).toEqual(wanted);
  });

  test("an index longer than its first 4096 bytes, its metadata first", async () => {
    const metadata = { total_size: 36, note: "x".repeat(5000) };
    const model = await readModel(sharded({ metadata, weight_map: weightMap }));
    expect(model.tensors).toHaveLength(2);
  });

  test.each([
    {
      name: "another total size",
      index: { metadata: { total_size: 40 }, weight_map: weightMap },
      files: shards,
      code: "SHARD_SIZE",
    },
    {
      name: "a tensor that the index does not know",
      index: { metadata: {}, weight_map: weightMap },
      files: { ...shards, [second]: shardOf("b.weight", [1, 3], ["c"]) },
      code: "SHARD_TENSORS_LEFT_OUT",
    },
    {
      name: "a tensor in two shards",
      index: { weight_map: weightMap },
      files: { ...shards, [first]: shardOf("a.weight", [3, 2], ["b.weight"]) },
      code: "SHARD_TENSORS_LEFT_OUT",
    },
  ])("warns of $name", async ({ index, files, code }) => {
    const model = await readModel(sharded(index, files));
    expect(codes(model)).toEqual(["TOPOLOGY_INFERRED", code]);
    expect(model.tensors.map(({ name }) => name)).toEqual(["a.weight", "b.weight"]);
  });
});

describe("what a model in several files may not be", () => {
  const mapped = (map: unknown): object => ({ weight_map: map });
  const cases: readonly {
    name: string;
    index: unknown;
    files?: Readonly<Record<string, Uint8Array>>;
    code: ErrorCode;
  }[] = [
    {
      name: "without a shard",
      index: mapped(weightMap),
      files: { [first]: shards[first] },
      code: "FILE_NOT_FOUND",
    },
    {
      name: "with a short shard",
      index: mapped(weightMap),
      files: { ...shards, [second]: shards[second].slice(0, -1) },
      code: "FORMAT_TRUNCATED",
    },
    {
      name: "with an empty shard",
      index: mapped(weightMap),
      files: { ...shards, [second]: new Uint8Array() },
      code: "FORMAT_TRUNCATED",
    },
    {
      name: "with a pointer in place of a shard",
      index: mapped(weightMap),
      files: {
        ...shards,
        [second]: new TextEncoder().encode("version https://git-lfs.github.com/spec/v1\noid x"),
      },
      code: "FORMAT_LFS_POINTER",
    },
    {
      name: "with a tensor that its shard lacks",
      index: mapped({ ...weightMap, c: second }),
      code: "FORMAT_MALFORMED",
    },
    { name: "with a number for a file", index: mapped({ a: 1 }), code: "FORMAT_MALFORMED" },
    {
      name: "with a name that stands twice",
      index: `{"weight_map": {"a": "${first}", "a": "${second}"}}`,
      code: "FORMAT_MALFORMED",
    },
    {
      name: "in more files than anyone has",
      index: mapped(
        Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`t${i}`, `f${i}`])),
      ),
      code: "FORMAT_LIMIT",
    },
  ];
  test.each(cases)("$name", async ({ index, files, code }) => {
    const error: unknown = await readModel(sharded(index, files)).catch((e) => e);
    expect(isWeightGraphError(error, code), String(error)).toBe(true);
  });

  test("a list of names such as __proto__", async () => {
    const text = `{"weight_map": {"__proto__": "${first}"}}`;
    const shard = shardOf("__proto__", [3, 2]);
    const model = await readModel(sharded(text, { [first]: shard }));
    expect(model.tensors.map(({ name }) => name)).toEqual(["__proto__"]);
  });
});

test("a shard that is read alone", async () => {
  const others = { ...shards, [indexName]: new TextEncoder().encode("{}") };
  const beside = await readModel(memorySource(shards[first], first, others));
  const alone = await readModel(memorySource(shards[first], first));
  expect(beside.warnings.at(-1)).toMatchObject({ code: "SHARD_ALONE" });
  expect(beside.warnings.at(-1)!.message).toContain(indexName);
  expect(alone.warnings.at(-1)).toMatchObject({ code: "SHARD_ALONE" });
  expect(codes(await readModel(memorySource(shards[first], "net.safetensors")))).not.toContain(
    "SHARD_ALONE",
  );
});
