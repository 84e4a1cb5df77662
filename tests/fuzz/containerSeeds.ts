/** Seeds of formats that are containers of arrays: NumPy, shards with an index, raw numbers, GGUF. */
import { readFileSync } from "node:fs";
import { writeSafetensors, type Random } from "../../src/index.ts";
import { ggufBytes, type GgufSketch, type GgufTensorSketch } from "../helpers/gguf.ts";
import { unzipped, zipArchive } from "../helpers/zip.ts";
import { mutateBytes, pick } from "./mutateBytes.ts";
import { mutateJson } from "./mutateTree.ts";
import type { Seed } from "./seeds.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../fixtures/tiny/${name}`, import.meta.url)));

/** An archive as NumPy wrote it; below the container one entry is damaged and the archive made anew, its checksums right. */
export async function npzSeed(name: string, level: number): Promise<Seed> {
  const content = fixture(`npz/${name}`);
  const entries = await unzipped(content);
  return {
    name,
    files: { [name]: content },
    restructure(random) {
      const damaged = pick(Object.keys(entries), random);
      const bytes = mutateBytes(entries[damaged]!, random);
      return zipArchive({ ...entries, [damaged]: bytes }, { level });
    },
  };
}

/** The index is damaged; its shards are sound. */
export function shardedSeed(): Seed {
  const shard = (name: string, shape: readonly number[]): Uint8Array =>
    writeSafetensors({
      tensors: [{ name, dtype: "float32", shape, data: new Float32Array(shape[0]! * shape[1]!) }],
    });
  const index = {
    metadata: { total_size: 36 },
    weight_map: { a: "m-00001-of-00002.safetensors", b: "m-00002-of-00002.safetensors" },
  };
  return jsonSeed("m.safetensors.index.json", index, {
    "m-00001-of-00002.safetensors": shard("a", [3, 2]),
    "m-00002-of-00002.safetensors": shard("b", [1, 3]),
  });
}

export function rawSeed(): Seed {
  const manifest = {
    tensors: [
      { name: "a", shape: [3, 2], dtype: "<f4", file: "a" },
      { name: "b", shape: [1, 3], dtype: "float16", file: "b", offset: 2 },
      { name: "c", shape: [1], file: "b", dtype: "u1", offset: 8 },
    ],
  };
  return jsonSeed("manifest.json", manifest, { a: new Uint8Array(24), b: new Uint8Array(9) });
}

function jsonSeed(name: string, json: object, beside: Readonly<Record<string, Uint8Array>>): Seed {
  return {
    name,
    files: { [name]: encode(JSON.stringify(json)), ...beside },
    restructure: (random) => encode(mutateJson(json, random)),
  };
}

export function ggufSeeds(): Seed[] {
  const names = ["F32", "Q4_0", "Q8_0", "Q4_K", "Q6_K", "BF16"];
  const types = [0, 2, 8, 12, 14, 30];
  const sketch: GgufSketch & { readonly tensors: readonly GgufTensorSketch[] } = {
    pairs: [
      ["general.alignment", 4, 32],
      ["a", 8, "text"],
      ["b", 9, Uint8Array.of(0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 2)],
    ],
    tensors: names.map((name, i) => ({ name, ne: [256, 1], type: types[i]!, offset: i * 1024 })),
    data: Uint8Array.from({ length: 6 * 1024 }, (_, i) => (i * 37) & 127),
  };
  return [
    { name: "types.gguf", files: { "types.gguf": fixture("gguf/types.gguf") } },
    {
      name: "sketch",
      files: { "net.gguf": ggufBytes(sketch) },
      restructure: (random) =>
        ggufBytes({ ...sketch, tensors: sketch.tensors.map((own) => damagedTensor(own, random)) }),
    },
  ];
}

const edges = [0n, 1n, 31n, 32n, 255n, 256n, 512n, 1n << 31n, 1n << 32n, 1n << 53n, 1n << 63n];

function damagedTensor(tensor: GgufTensorSketch, random: Random): GgufTensorSketch {
  switch (random.integer(8)) {
    case 0:
      return { ...tensor, type: random.integer(45) };
    case 1:
      return { ...tensor, ne: tensor.ne.map(() => pick(edges, random)) };
    case 2:
      return { ...tensor, offset: random.integer(200) * 32 };
    case 3:
      return { ...tensor, rank: random.integer(7) };
    case 4:
      return { ...tensor, name: pick(["F32", "", "__proto__", "\u0000"], random) };
    default:
      return tensor;
  }
}
