import type { Operation, Scope, Tensor } from "../ir.ts";
import { elementwise } from "./elementwise.ts";

/** max(x, 0); NaN stays NaN, so that a broken network shows in its loss. */
export const reluOperation: Operation = elementwise(1, {
  name: "relu",
  of: (x) => (x < 0 ? 0 : x),
  gradient: ({ scope, node, upstream: [g] }) =>
    scope.apply(reluInputOperation, [g!, node.outputs[0]!]),
});

/** The gradient g of relu's output y, seen from its input: 0 where y is 0, the kink included. */
export const reluInputOperation: Operation = elementwise(2, {
  name: "reluInput",
  of: (g, y) => (y > 0 ? g : 0),
});

export function relu(scope: Scope, x: Tensor): Tensor {
  return scope.apply(reluOperation, [x])[0]!;
}
