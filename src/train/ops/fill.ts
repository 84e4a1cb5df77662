import { numbers, type Operation, type Scope, type Tensor } from "../ir.ts";
import type { Shape } from "../../tensor/shape.ts";

/** A constant. Attributes: `shape`, `value`. */
export const fillOperation: Operation = {
  name: "fill",
  infer: (_inputs, attributes) => [{ shape: numbers(attributes, "shape"), kind: "real" }],
  gradient: () => [],
  evaluate({ attributes }, _inputs, [out]) {
    out!.fill(attributes["value"] as number);
  },
};

export function fill(scope: Scope, shape: Shape, value: number): Tensor {
  return scope.apply(fillOperation, [], { shape, value })[0]!;
}
