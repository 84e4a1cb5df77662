/** Operators on quantised weights, as QDQ pairs, QLinear… and …Integer operators write them. */
import type { Activation } from "../activation.ts";
import type { Constant } from "../constant.ts";
import { dequantise } from "../dequantise.ts";
import { activationAt, claimInputs, constantAt, type Call, type Consumer } from "../operator.ts";
import { convOf } from "./conv.ts";
import { matMulOf } from "./dense.ts";

/** DequantizeLinear of a constant is a constant; of an activation it changes nothing here. */
export function dequantizeLinear(call: Call): Constant | readonly Activation[] {
  const data = constantAt(call, 0);
  claimInputs(call, 1, "constant");
  if (data === null) return [activationAt(call, 0)];
  const axis = call.node.axis(data.shape.length, 1);
  const blockSize = call.node.int("block_size", 0);
  const real = dequantise(data, constantAt(call, 1), constantAt(call, 2), { axis, blockSize });
  return real ?? [activationAt(call, 0)];
}

/** x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias. */
export function qLinearConv(call: Call): readonly Activation[] {
  claimParameters(call, [1, 2, 4, 5, 6, 7]);
  const bias = constantAt(call, 8);
  if (bias !== null) call.collect.claim(bias, "bias");
  return convOf(call, real(call, 3, { scale: constantAt(call, 4), zeroPoint: 5, axis: 0 }));
}

/** a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero. */
export function qLinearMatMul(call: Call): readonly Activation[] {
  claimParameters(call, [1, 2, 4, 5, 6, 7]);
  const scale = constantAt(call, 4);
  const weight = real(call, 3, { scale, zeroPoint: 5, axis: -1 });
  return matMulOf(call, { left: 0, right: 3, ...(weight && { weight }) });
}

/** x, w, x_zero, w_zero; the scale is multiplied in later. */
export function convInteger(call: Call): readonly Activation[] {
  claimParameters(call, [2, 3]);
  return convOf(call, real(call, 1, { scale: laterScale(call), zeroPoint: 3, axis: 0 }));
}

/** a, b, a_zero, b_zero; the scale is multiplied in later. */
export function matMulInteger(call: Call): readonly Activation[] {
  claimParameters(call, [2, 3]);
  const weight = real(call, 1, { scale: laterScale(call), zeroPoint: 3, axis: -1 });
  return matMulOf(call, { left: 0, right: 1, ...(weight && { weight }) });
}

/** DynamicQuantizeLinear: the values, then their scale and zero point. */
export function dynamicQuantize(call: Call): readonly Activation[] {
  return [activationAt(call, 0)];
}

function claimParameters(call: Call, inputs: readonly number[]): void {
  for (const at of inputs) {
    const constant = constantAt(call, at);
    if (constant !== null) call.collect.claim(constant, "constant");
  }
}

function real(
  call: Call,
  at: number,
  { scale, zeroPoint, axis }: { scale: Constant | null; zeroPoint: number; axis: number },
): Constant | null {
  const data = constantAt(call, at);
  if (data === null) return null;
  const own = axis < 0 ? axis + data.shape.length : axis;
  return dequantise(data, scale, constantAt(call, zeroPoint), { axis: own });
}

/**
 * The weight's scale behind an …Integer operator: Cast, then Mul with (input scale * weight scale), of which the constant
 * factor is the weight's. Null where the graph does it in another way.
 */
function laterScale(call: Call): Constant | null {
  const follow = (output: string | undefined, steps: number): Constant | null => {
    if (output === undefined || steps === 0) return null;
    for (const consumer of call.consumers(output)) {
      if (consumer.opType === "Cast") {
        const found = follow(consumer.outputs[0], steps - 1);
        if (found !== null) return found;
      }
      if (consumer.opType === "Mul") {
        const found = factorOf(consumer, output);
        if (found !== null) return found;
      }
    }
    return null;
  };
  return follow(call.node.outputs[0], 3);
}

function factorOf(mul: Consumer, output: string): Constant | null {
  for (const input of mul.inputs) {
    if (input === output) continue;
    const direct = mul.constant(input);
    if (direct !== null) return direct;
    const maker = mul.producer(input);
    if (maker?.opType !== "Mul") continue;
    for (const factor of maker.inputs) {
      const scale = maker.constant(factor);
      if (scale !== null) return scale;
    }
  }
  return null;
}
