/** Damaged ONNX files: a model or one of our errors, from the reader itself and not only from what stands around it. */
import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../src/random.ts";
import {
  isWeightGraphError,
  memorySource,
  readModel,
  readOnnx,
  type ByteSource,
} from "../../src/index.ts";
import { onnxMixture, onnxMixtureData, onnxSmallTypes } from "../helpers/onnxMixture.ts";
import { hasSharedData, sharedPath } from "../helpers/shared.ts";

const sourceOf = (damaged: Uint8Array): ByteSource =>
  memorySource(damaged, "net.onnx", onnxMixtureData);

/** Reads everything; null, or what escaped that is not ours. */
async function escapes(damaged: Uint8Array): Promise<unknown> {
  try {
    const model = await readOnnx(sourceOf(damaged));
    for (const own of model.tensors) await own.read();
    for (const own of model.layers) await own.tensor.read();
    return null;
  } catch (error) {
    return isWeightGraphError(error) ? null : error;
  }
}

const files = hasSharedData
  ? readdirSync(sharedPath("onnx/tiny")).map((name) => ({
      name,
      content: new Uint8Array(readFileSync(sharedPath(`onnx/tiny/${name}`))),
    }))
  : [];

const built = [
  { name: "built", content: onnxMixture },
  { name: "small types", content: onnxSmallTypes },
];

describe.each([...built, ...files])("$name", ({ content }) => {
  test("is whole before it is damaged", async () => {
    const model = await readOnnx(sourceOf(content));
    expect(model.layers.length).toBeGreaterThan(0);
  });

  test("cut at every byte", async () => {
    for (let length = 0; length < content.length; length++) {
      expect(await escapes(content.slice(0, length)), `cut at ${length}`).toBeNull();
    }
  });

  test("cut files are called truncated", async () => {
    const graphStart = content.indexOf(0x3a);
    for (const length of [2, 8, graphStart + 2, Math.floor(content.length / 2)]) {
      const error: unknown = await readModel(sourceOf(content.slice(0, length))).then(
        () => null,
        (own: unknown) => own,
      );
      expect(
        isWeightGraphError(error, "FORMAT_TRUNCATED"),
        `cut at ${length}: ${String(error)}`,
      ).toBe(true);
    }
  });

  test("2000 rounds of flipped bits", async () => {
    const random = createRandom(11);
    for (let round = 0; round < 2000; round++) {
      const damaged = content.slice();
      for (let flips = 1 + random.integer(3); flips > 0; flips--) {
        damaged[random.integer(damaged.length)]! ^= 1 << random.integer(8);
      }
      expect(await escapes(damaged), `round ${round}`).toBeNull();
    }
  });
});
