/** One damaged file through everything that looks at a model: what comes out must be a model or one of our errors. */
import {
  coverageOf,
  createRandom,
  isWeightGraphError,
  layeredGraph,
  memorySource,
  readModel,
  summariseLayers,
  type ByteSource,
  type Random,
} from "../../src/index.ts";
import { mutateBytes, pick } from "./mutateBytes.ts";
import type { Seed } from "./seeds.ts";

export interface Mutant {
  readonly seedName: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly source: ByteSource;
}

/** The mutant of this number: the same for the same seeds, whichever were made before it. */
export async function mutantOf(
  seeds: readonly Seed[],
  { format, seed, index }: { format: string; seed: number; index: number },
): Promise<Mutant> {
  const random = createRandom(seed).fork(`${format} ${index}`);
  const { name, files, restructure } = seeds[index % seeds.length]!;
  const [main = ""] = Object.keys(files);
  const damaged = { ...files };
  const made = random.uniform() < 0.6 ? await restructured(restructure, random) : null;
  if (made !== null) damaged[main] = made;
  if (made === null || random.uniform() < 0.2) {
    const struck = random.uniform() < 0.8 ? main : pick(Object.keys(files), random);
    damaged[struck] = mutateBytes(damaged[struck]!, random);
  }
  return { seedName: name, files: damaged, source: memorySource(damaged[main]!, main, damaged) };
}

/** Null where there is no structure, or where its encoder refuses every one of a few attempts. */
async function restructured(
  restructure: Seed["restructure"],
  random: Random,
): Promise<Uint8Array | null> {
  if (restructure === undefined) return null;
  for (let attempt = 0; attempt < 8; attempt++) {
    try {
      return await restructure(random);
    } catch {
      // A tree that fits no field of the format.
    }
  }
  return null;
}

/** `model`, the code of the error that refused it, or what must not happen. */
export type Verdict =
  | { readonly kind: "model" }
  | { readonly kind: "refused"; readonly code: string }
  | { readonly kind: "escaped"; readonly error: unknown };

/** Reads the file, every tensor of it, its summaries, its coverage and its graph. */
export async function examine(source: ByteSource): Promise<Verdict> {
  try {
    const model = await readModel(source);
    JSON.stringify([await summariseLayers(model), coverageOf(model), model.warnings]);
    for (const tensor of model.tensors) await tensor.read();
    await layeredGraph(model);
    return { kind: "model" };
  } catch (error) {
    if (!isWeightGraphError(error) || isFault(error.cause)) return { kind: "escaped", error };
    return { kind: "refused", code: error.code };
  }
}

/** An error of ours that only covers one of JavaScript's is a check that is missing; a decoder's own refusal is none. */
function isFault(cause: unknown): boolean {
  if (!(cause instanceof Error) || isWeightGraphError(cause)) return false;
  const isDecoder = (cause as NodeJS.ErrnoException).code === "ERR_ENCODING_INVALID_ENCODED_DATA";
  return /^(TypeError|RangeError|ReferenceError)$/.test(cause.name) && !isDecoder;
}
