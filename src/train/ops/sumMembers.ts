import { requireShape, type Operation, type Scope, type Tensor } from "../ir.ts";

/** [P, …] to [1, …]: what all members together ask of a tensor that they share. Not differentiable further. */
export const sumMembersOperation: Operation = {
  name: "sumMembers",
  infer([x]) {
    requireShape(x!.shape.length > 0, "sumMembers takes [P, ...]", x!.shape);
    return [{ shape: [1, ...x!.shape.slice(1)], kind: "real" }];
  },
  evaluate(_node, [x], [out]) {
    for (let i = 0; i < out!.length; i++) {
      let sum = 0;
      for (let at = i; at < x!.length; at += out!.length) sum += x![at]!;
      out![i] = sum;
    }
  },
};

/** The gradient `g` [P, …] for an operand of which `members` exist: summed when all share one. */
export function gradientOfShared(scope: Scope, g: Tensor, members: number): Tensor {
  return g.shape[0] === members ? g : scope.apply(sumMembersOperation, [g])[0]!;
}
