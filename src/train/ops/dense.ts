import { requireShape, type Operation, type Scope, type Tensor, type TensorType } from "../ir.ts";
import { gradientOfShared } from "./sumMembers.ts";

/** y[p, b, o] = Σ_i x[p, b, i] w[p, o, i]; x [P or 1, B, I], w [P, O, I]. Cost: P B O I. */
export const denseOperation: Operation = {
  name: "dense",
  infer([x, weight]) {
    const [given, batch, inputs] = x!.shape;
    const [members, outputs, taken] = weight!.shape;
    const fits =
      x!.shape.length === 3 &&
      weight!.shape.length === 3 &&
      inputs === taken &&
      (given === members || given === 1);
    requireShape(fits, "dense takes [P, B, I] and [P, O, I]", x!.shape, weight!.shape);
    return [{ shape: [members!, batch!, outputs!], kind: "real" }];
  },
  gradient({ scope, node, upstream: [g], wanted }) {
    const [x, weight] = node.inputs as [Tensor, Tensor];
    const toInput = (): Tensor => scope.apply(denseInputOperation, [g!, weight])[0]!;
    return [
      wanted[0] ? gradientOfShared(scope, toInput(), x.shape[0]!) : null,
      wanted[1] ? scope.apply(denseWeightOperation, [g!, x])[0]! : null,
    ];
  },
  evaluate(node, [x, weight], [y]) {
    const [size] = node.inputs[0]!.shape.slice(-1) as [number];
    const from = x!;
    const factors = weight!;
    eachPair(node.inputs[0]!, node.outputs[0]!, (xRow, weightRow, at) => {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += from[xRow + i]! * factors[weightRow + i]!;
      y![at] = sum;
    });
  },
};

/** Gradient for x: g [P, B, O], w [P, O, I] to [P, B, I]. */
export const denseInputOperation: Operation = {
  name: "denseInput",
  infer([g, weight]) {
    const [members, batch, outputs] = g!.shape;
    const fits = weight!.shape[0] === members && weight!.shape[1] === outputs;
    requireShape(fits, "denseInput takes [P, B, O] and [P, O, I]", g!.shape, weight!.shape);
    return [{ shape: [members!, batch!, weight!.shape[2]!], kind: "real" }];
  },
  evaluate({ inputs, outputs }, [g, weight], [out]) {
    const [size] = outputs[0]!.shape.slice(-1) as [number];
    const from = weight!;
    const to = out!;
    to.fill(0);
    eachPair(outputs[0]!, inputs[0]!, (outRow, weightRow, at) => {
      const factor = g![at]!;
      for (let i = 0; i < size; i++) to[outRow + i]! += factor * from[weightRow + i]!;
    });
  },
};

/** Gradient for w: g [P, B, O], x [P or 1, B, I] to [P, O, I]. */
export const denseWeightOperation: Operation = {
  name: "denseWeight",
  infer([g, x]) {
    const [members, batch, outputs] = g!.shape;
    const fits = x!.shape[1] === batch && (x!.shape[0] === members || x!.shape[0] === 1);
    requireShape(fits, "denseWeight takes [P, B, O] and [P, B, I]", g!.shape, x!.shape);
    return [{ shape: [members!, outputs!, x!.shape[2]!], kind: "real" }];
  },
  evaluate({ inputs }, [g, x], [out]) {
    const [size] = inputs[1]!.shape.slice(-1) as [number];
    const from = x!;
    const to = out!;
    to.fill(0);
    eachPair(inputs[1]!, inputs[0]!, (xRow, outRow, at) => {
      const factor = g![at]!;
      for (let i = 0; i < size; i++) to[outRow + i]! += factor * from[xRow + i]!;
    });
  },
};

export function dense(scope: Scope, x: Tensor, weight: Tensor): Tensor {
  return scope.apply(denseOperation, [x, weight])[0]!;
}

/** Walks every (member, sample, output): where the sample's row of x begins, the output's row of w, and the place in y. */
function eachPair(
  x: TensorType,
  y: TensorType,
  visit: (xRow: number, weightRow: number, at: number) => void,
): void {
  const [given, , size] = x.shape as [number, number, number];
  const [members, batch, outputs] = y.shape as [number, number, number];
  let at = 0;
  for (let member = 0; member < members; member++) {
    for (let sample = 0; sample < batch; sample++) {
      const xRow = ((given === 1 ? 0 : member) * batch + sample) * size;
      for (let output = 0; output < outputs; output++) {
        visit(xRow, (member * outputs + output) * size, at++);
      }
    }
  }
}
