import type { Operation, Scope, Tensor } from "../ir.ts";
import { elementwise } from "./elementwise.ts";

/** a + b of one shape. */
export const addOperation: Operation = elementwise(2, {
  name: "add",
  of: (a, b) => a + b,
  gradient: ({ upstream: [g], wanted }) => wanted.map((each) => (each ? g! : null)),
});

export function add(scope: Scope, a: Tensor, b: Tensor): Tensor {
  return scope.apply(addOperation, [a, b])[0]!;
}
