import type { Operation, Scope, Tensor } from "../ir.ts";
import { requireLabels } from "./softmaxCrossEntropy.ts";

/** How many samples have their highest logit at their label, the first of equal ones: [P, B, K], labels to [P]. */
export const countCorrectOperation: Operation = {
  name: "countCorrect",
  infer([logits, labels]) {
    requireLabels("countCorrect", logits!.shape, labels!.shape);
    return [{ shape: [logits!.shape[0]!], kind: "real" }];
  },
  evaluate({ inputs }, [logits, labels], [out]) {
    const [members, batch, classes] = inputs[0]!.shape as readonly [number, number, number];
    out!.fill(0);
    for (let sample = 0; sample < members * batch; sample++) {
      const row = sample * classes;
      let best = 0;
      for (let k = 1; k < classes; k++) if (logits![row + k]! > logits![row + best]!) best = k;
      if (best === labels![sample % labels!.length]!) out![Math.floor(sample / batch)]! += 1;
    }
  },
};

export function countCorrect(scope: Scope, logits: Tensor, labels: Tensor): Tensor {
  return scope.apply(countCorrectOperation, [logits, labels])[0]!;
}
