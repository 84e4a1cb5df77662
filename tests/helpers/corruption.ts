/** Damages bytes in every way that a bad download does; the answer must be a model or one of our errors, quickly. */
import { expect } from "vitest";
import { createRandom, isWeightGraphError, readModel, type ByteSource } from "../../src/index.ts";

/** Reads the model and every tensor in it. Returns null, or what escaped that is not ours. */
async function escapes(source: ByteSource): Promise<unknown> {
  try {
    const model = await readModel(source);
    for (const tensor of model.tensors) await tensor.read();
    return null;
  } catch (error) {
    return isWeightGraphError(error) ? null : (error ?? "nothing thrown");
  }
}

/** Cuts at every byte: a file that ends early. `sourceOf` puts the damaged bytes in place. */
export async function expectCutsRefused(
  bytes: Uint8Array,
  sourceOf: (bytes: Uint8Array) => ByteSource,
): Promise<void> {
  for (let length = 0; length < bytes.byteLength; length++) {
    const source = sourceOf(bytes.slice(0, length));
    expect(await escapes(source), `cut at ${length}`).toBeNull();
  }
}

/** Flips one to three seeded bits per round. */
export async function expectFlipsRefused(
  bytes: Uint8Array,
  sourceOf: (bytes: Uint8Array) => ByteSource,
  rounds = 2000,
): Promise<void> {
  const random = createRandom(7);
  for (let round = 0; round < rounds; round++) {
    const damaged = bytes.slice();
    for (let flips = 1 + random.integer(3); flips > 0; flips--) {
      damaged[random.integer(damaged.length)]! ^= 1 << random.integer(8);
    }
    expect(await escapes(sourceOf(damaged)), `round ${round}`).toBeNull();
  }
}
