import type { Operation, Scope, Tensor } from "../ir.ts";
import { elementwise } from "./elementwise.ts";

/** The hyperbolic tangent. */
export const tanhOperation: Operation = elementwise(1, {
  name: "tanh",
  of: (x) => Math.tanh(x),
  gradient: ({ scope, node, upstream: [g] }) =>
    scope.apply(tanhInputOperation, [g!, node.outputs[0]!]),
});

/** The gradient g of tanh's output y, seen from its input: g (1 - y²). */
export const tanhInputOperation: Operation = elementwise(2, {
  name: "tanhInput",
  of: (g, y) => g * (1 - y * y),
});

export function tanh(scope: Scope, x: Tensor): Tensor {
  return scope.apply(tanhOperation, [x])[0]!;
}
