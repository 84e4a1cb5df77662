/** The training curves of PyTorch beside the checkout: initial weights, a loss per step, final weights. */
import { readFileSync } from "node:fs";
import { fileSource } from "../../src/bytes/file.ts";
import { readIdx } from "../../src/data/idx.ts";
import { readModel } from "../../src/formats/detect.ts";
import type { NamedTensor } from "../../src/train/trainer.ts";
import { sharedPath } from "../helpers/shared.ts";

export interface GoldenCurve {
  readonly batch: number;
  readonly steps: number;
  readonly loss_float32: readonly number[];
  readonly loss_float64: readonly number[];
}

export function goldenCurve(name: string): GoldenCurve {
  const path = sharedPath(`golden-training/${name}.json`);
  return JSON.parse(readFileSync(path, "utf8")) as GoldenCurve;
}

/** `init` or `final`. */
export async function goldenWeights(name: string, moment: string): Promise<NamedTensor[]> {
  const path = sharedPath(`golden-training/${name}.${moment}.safetensors`);
  const { tensors } = await readModel(await fileSource(path));
  return Promise.all(
    tensors.map(async (tensor) => ({
      name: tensor.name,
      shape: tensor.shape,
      values: await tensor.read(),
    })),
  );
}

/** The MNIST training images, unshuffled. */
export async function mnistInOrder(): Promise<{ images: Uint8Array; labels: Uint8Array }> {
  const read = async (file: string): Promise<Uint8Array> =>
    (await readIdx(await fileSource(sharedPath(`datasets/mnist/${file}.gz`)))).values;
  const images = await read("train-images-idx3-ubyte");
  return { images, labels: await read("train-labels-idx1-ubyte") };
}
