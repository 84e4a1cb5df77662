import { describe, expect, test } from "vitest";
import { createRandom } from "../../src/random.ts";
import { fromLanes, inLanes, relativeGap, withKernels } from "./workbench.ts";

const cases = [
  { batch: 1, classes: 1, spread: 1 },
  { batch: 3, classes: 2, spread: 1 },
  { batch: 8, classes: 10, spread: 3 },
  { batch: 13, classes: 7, spread: 30 },
  { batch: 9, classes: 5, spread: 1000 },
];

describe.each(cases)("$batch x $classes, logits of size $spread", ({ batch, classes, spread }) => {
  const random = createRandom(batch);
  const logits = Float32Array.from({ length: batch * classes }, () => spread * random.normal());
  const labels = Array.from({ length: batch }, () => random.integer(classes));
  const rows = labels.map((label, image) => {
    const row = [...logits.subarray(image * classes, (image + 1) * classes)];
    const highest = Math.max(...row);
    const powers = row.map((each) => Math.exp(each - highest));
    const sum = powers.reduce((total, each) => total + each, 0);
    return { softmax: powers.map((p) => p / sum), loss: Math.log(sum) + highest - row[label]! };
  });

  test("softmax and the summed cross-entropy, within a few roundings of float32", async () => {
    await withKernels(({ kernels, put, putIntegers, space, floats }) => {
      const lanes = inLanes(logits, batch, classes);
      const to = space(lanes.length);
      const loss = kernels.softmaxCrossEntropy(to, put(lanes), putIntegers(labels), classes, batch);
      const wanted = rows.reduce((total, row) => total + row.loss, 0);
      expect(relativeGap([loss], [wanted])).toBeLessThan(1e-6);
      const softmax = fromLanes(floats(to, lanes.length), batch, classes);
      expect(
        relativeGap(
          softmax,
          rows.flatMap((row) => row.softmax),
        ),
      ).toBeLessThan(1e-6);
    });
  });

  test("the gradient is factor · (softmax - one-hot), zero beyond the batch", async () => {
    await withKernels(({ kernels, put, putIntegers, space, floats }) => {
      const plain = rows.flatMap((row) => row.softmax);
      const lanes = inLanes(plain, batch, classes).map((p, i) => (i % 8 < batch ? p : 1));
      const to = space(lanes.length);
      const [from, at] = [put(lanes), putIntegers(labels)];
      kernels.softmaxCrossEntropyGradient(to, from, at, classes, batch, 0.25);
      const wanted = rows.flatMap(({ softmax }, image) =>
        softmax.map((p, k) => 0.25 * (p - (k === labels[image] ? 1 : 0))),
      );
      const got = floats(to, lanes.length);
      expect(relativeGap(got, inLanes(wanted, batch, classes))).toBeLessThan(2e-7);
    });
  });
});

test("a label outside the classes gives NaN, and harms nothing", async () => {
  await withKernels(({ kernels, put, putIntegers, space, floats }) => {
    const logits = put(new Float32Array(24));
    const softmax = space(24);
    for (const label of [3, -1]) {
      const labels = putIntegers([label]);
      expect(kernels.softmaxCrossEntropy(softmax, logits, labels, 3, 1)).toBeNaN();
      const to = space(24);
      kernels.softmaxCrossEntropyGradient(to, softmax, labels, 3, 1, 1);
      expect(floats(to, 1)[0]).toBeCloseTo(1 / 3, 6);
    }
  });
});

test.each([NaN, Infinity])("a logit of %d makes the loss NaN", async (broken) => {
  await withKernels(({ kernels, put, putIntegers, space }) => {
    const logits = inLanes([broken, 0], 1, 2);
    const loss = kernels.softmaxCrossEntropy(space(16), put(logits), putIntegers([1]), 2, 1);
    expect(loss).toBeNaN();
  });
});
