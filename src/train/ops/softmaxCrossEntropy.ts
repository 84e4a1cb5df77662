import { requireShape, type Operation, type Scope, type Tensor } from "../ir.ts";

/**
 * Mean over the batch of -log softmax(logits)[label]: logits [P, B, K], labels (index) [P or 1, B] to loss [P], and the
 * softmax itself [P, B, K] for the way back. The maximum is subtracted first, so large logits do not overflow.
 * Labels must lie in 0..K-1; who fills them in sees to that.
 */
export const softmaxCrossEntropyOperation: Operation = {
  name: "softmaxCrossEntropy",
  infer([logits, labels]) {
    requireLabels("softmaxCrossEntropy", logits!.shape, labels!.shape);
    return [
      { shape: [logits!.shape[0]!], kind: "real" },
      { shape: logits!.shape, kind: "real" },
    ];
  },
  gradient: ({ scope, node, upstream: [g], wanted }) => [
    wanted[0]
      ? scope.apply(softmaxCrossEntropyInputOperation, [g!, node.outputs[1]!, node.inputs[1]!])[0]!
      : null,
    null,
  ],
  evaluate({ inputs }, [logits, labels], [loss, probabilities]) {
    const [members, batch, classes] = inputs[0]!.shape as Three;
    for (let member = 0; member < members; member++) {
      let total = 0;
      for (let sample = 0; sample < batch; sample++) {
        const row = (member * batch + sample) * classes;
        const label = labels![(member * batch + sample) % labels!.length]!;
        let highest = logits![row]!;
        for (let k = 1; k < classes; k++) highest = Math.max(highest, logits![row + k]!);
        let sum = 0;
        for (let k = 0; k < classes; k++) {
          const power = Math.exp(logits![row + k]! - highest);
          probabilities![row + k] = power;
          sum += power;
        }
        for (let k = 0; k < classes; k++) probabilities![row + k]! /= sum;
        total += Math.log(sum) + highest - logits![row + label]!;
      }
      loss![member] = total / batch;
    }
  },
};

/** Gradient for the logits: g [P], softmax [P, B, K], labels to g / B (softmax - one-hot). */
export const softmaxCrossEntropyInputOperation: Operation = {
  name: "softmaxCrossEntropyInput",
  infer([g, probabilities, labels]) {
    requireLabels("softmaxCrossEntropyInput", probabilities!.shape, labels!.shape);
    const fits = g!.shape.length === 1 && g!.shape[0] === probabilities!.shape[0];
    requireShape(fits, "softmaxCrossEntropyInput takes a gradient [P]", g!.shape);
    return [{ shape: probabilities!.shape, kind: "real" }];
  },
  evaluate({ inputs }, [g, probabilities, labels], [out]) {
    const [members, batch, classes] = inputs[1]!.shape as Three;
    for (let sample = 0; sample < members * batch; sample++) {
      const factor = g![Math.floor(sample / batch)]! / batch;
      const row = sample * classes;
      for (let k = 0; k < classes; k++) out![row + k] = factor * probabilities![row + k]!;
      out![row + labels![sample % labels!.length]!]! -= factor;
    }
  },
};

export function softmaxCrossEntropy(scope: Scope, logits: Tensor, labels: Tensor): Tensor {
  return scope.apply(softmaxCrossEntropyOperation, [logits, labels])[0]!;
}

/** @throws {ShapeError} `SHAPE_MISMATCH` unless there is a label for each row of logits, or for each sample that all share. */
export function requireLabels(
  what: string,
  logits: readonly number[],
  labels: readonly number[],
): void {
  const fits =
    logits.length === 3 &&
    labels.length === 2 &&
    labels[1] === logits[1] &&
    (labels[0] === logits[0] || labels[0] === 1);
  requireShape(fits, `${what} takes [P, B, K] and [P, B]`, logits, labels);
}

type Three = readonly [number, number, number];
