import type { Operation, Scope, Tensor } from "../ir.ts";
import { elementwise } from "./elementwise.ts";

/** a · b of one shape, element by element. */
export const multiplyOperation: Operation = elementwise(2, {
  name: "multiply",
  of: (a, b) => a * b,
  gradient: ({ scope, node, upstream: [g], wanted }) => [
    wanted[0] ? multiply(scope, g!, node.inputs[1]!) : null,
    wanted[1] ? multiply(scope, g!, node.inputs[0]!) : null,
  ],
});

export function multiply(scope: Scope, a: Tensor, b: Tensor): Tensor {
  return scope.apply(multiplyOperation, [a, b])[0]!;
}
