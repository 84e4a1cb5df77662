/** Every loss by name. A new one is an operation with its gradient, and a line here. */
import type { Scope, Tensor } from "../ir.ts";
import { softmaxCrossEntropy } from "../ops/softmaxCrossEntropy.ts";
import { createRegistry, type Registry } from "../registry.ts";

/** A registered part: what is minimised, one number per member. */
export interface Loss {
  readonly name: string;
  /** outputs [P, B, K], labels (index) [P or 1, B] to [P], the mean over the batch. */
  readonly apply: (scope: Scope, outputs: Tensor, labels: Tensor) => Tensor;
}

export const losses: Registry<Loss> = createRegistry("loss", [
  { name: "crossEntropy", apply: softmaxCrossEntropy },
]);
