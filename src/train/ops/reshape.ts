import { numbers, requireShape, type Operation, type Scope, type Tensor } from "../ir.ts";
import { elementCount, type Shape } from "../../tensor/shape.ts";

/** The same buffer under another shape. Attribute: `shape`. */
export const reshapeOperation: Operation = {
  name: "reshape",
  sharing: [0],
  infer([x], attributes) {
    const shape = numbers(attributes, "shape");
    const fits = elementCount(shape) === elementCount(x!.shape);
    requireShape(fits, "reshape keeps the number of elements", x!.shape, shape);
    return [{ shape, kind: x!.kind }];
  },
  gradient: ({ scope, node, upstream: [g] }) => [reshape(scope, g!, node.inputs[0]!.shape)],
  evaluate() {
    // The output is the input.
  },
};

export function reshape(scope: Scope, x: Tensor, shape: Shape): Tensor {
  return scope.apply(reshapeOperation, [x], { shape })[0]!;
}

/** [P, B, …] to [P, B, all the rest]. */
export function flatten(scope: Scope, x: Tensor): Tensor {
  const [members = 1, batch = 1, ...rest] = x.shape;
  return reshape(scope, x, [members, batch, elementCount(rest)]);
}
