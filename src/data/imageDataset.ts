/** MNIST and the data sets that took over its four files: Fashion-MNIST, KMNIST, EMNIST. */
import type { ByteSource } from "../bytes/source.ts";
import { FormatError } from "../errors.ts";
import type { Dataset, Split } from "./dataset.ts";
import { readIdx } from "./idx.ts";

/** The four files, under the names they are published by, each plain or with `.gz`. */
export const imageDatasetFiles = {
  trainImages: "train-images-idx3-ubyte",
  trainLabels: "train-labels-idx1-ubyte",
  testImages: "t10k-images-idx3-ubyte",
  testLabels: "t10k-labels-idx1-ubyte",
} as const;

export type ImageDatasetSources = Readonly<Record<keyof typeof imageDatasetFiles, ByteSource>>;

/**
 * Reads a data set of grey images from its four IDX files. Classes are numbered from 0 to the highest label of the training set.
 * @throws {FormatError} `DATA_MALFORMED`, `FORMAT_TRUNCATED`
 */
export async function readImageDataset(
  name: string,
  { trainImages, trainLabels, testImages, testLabels }: ImageDatasetSources,
): Promise<Dataset> {
  const train = await readSplit(trainImages, trainLabels);
  const test = await readSplit(testImages, testLabels);
  if (train.height !== test.height || train.width !== test.width) {
    malformed(
      `${test.height} x ${test.width} pixels, in training ${train.height} x ${train.width}`,
      testImages,
    );
  }
  const classes = 1 + highest(train.split.labels);
  if (highest(test.split.labels) >= classes) {
    malformed(`label ${highest(test.split.labels)} never occurs in training`, testLabels);
  }
  return {
    name,
    shape: [1, train.height, train.width],
    classes,
    train: train.split,
    test: test.split,
  };
}

async function readSplit(
  images: ByteSource,
  labels: ByteSource,
): Promise<{ split: Split; height: number; width: number }> {
  const pixels = await readIdx(images);
  const numbers = await readIdx(labels);
  const [count = 0, height = 0, width = 0] = pixels.shape;
  if (pixels.shape.length !== 3 || count * height * width === 0) {
    malformed(`[${pixels.shape.join(", ")}] are no images`, images);
  }
  if (numbers.shape.length !== 1 || numbers.shape[0] !== count) {
    malformed(`[${numbers.shape.join(", ")}] are no labels of ${count} images`, labels);
  }
  return { split: { images: pixels.values, labels: numbers.values, count }, height, width };
}

function highest(labels: Uint8Array): number {
  return labels.reduce((most, label) => Math.max(most, label), 0);
}

function malformed(message: string, { name }: ByteSource): never {
  throw new FormatError("DATA_MALFORMED", message, { path: [name] });
}
