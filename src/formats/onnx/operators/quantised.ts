/** Operators on quantised weights, as QDQ pairs, QLinear… and …Integer operators and com.microsoft's forms write them. */
import { isFloat, type DType } from "../../../tensor/dtype.ts";
import { unknownActivation, type Activation } from "../activation.ts";
import type { Constant } from "../constant.ts";
import { dequantise, quantise } from "../dequantise.ts";
import { activationAt, claimInputs, constantAt, type Call, type Consumer } from "../operator.ts";
import { knownType } from "../tensorProto.ts";
import { convOf } from "./conv.ts";
import { gemm, matMul } from "./dense.ts";
import type { QuantisedForm } from "./quantisedForms.ts";

/** DequantizeLinear of a constant is a constant; of an activation it changes nothing here. */
export function dequantizeLinear(call: Call): Constant | readonly Activation[] {
  const data = constantAt(call, 0);
  claimInputs(call, 1, "constant");
  if (data === null) return [activationAt(call, 0)];
  const place = placeOf(call, data);
  return dequantise(data, constantAt(call, 1), constantAt(call, 2), place) ?? lost(call, data);
}

/** QuantizeLinear of a constant is a constant too: weights of a network that was trained to be quantised. */
export function quantizeLinear(call: Call): Constant | readonly Activation[] {
  const data = constantAt(call, 0);
  const scale = constantAt(call, 1);
  const zeroPoint = constantAt(call, 2);
  claimInputs(call, 1, "constant");
  if (data === null || scale === null) return [activationAt(call, 0)];
  const stated = knownType(call.node.int("output_dtype", 0));
  const dtype: DType = zeroPoint?.dtype ?? stated ?? "uint8";
  const place = { ...placeOf(call, data), dtype };
  return quantise(data, scale, zeroPoint, place) ?? [activationAt(call, 0)];
}

function placeOf({ node }: Call, { shape }: Constant): { axis: number; blockSize: number } {
  return { axis: node.axis(shape.length, 1), blockSize: node.int("block_size", 0) };
}

/** A weight whose scale does not fit it: named and counted. */
function lost(call: Call, data: Constant): readonly Activation[] {
  call.collect.claim(data, "unknown");
  call.collect.unknownOperator(call.node.opType);
  return [unknownActivation];
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
  const left = real(call, 0, { scale: constantAt(call, 1), zeroPoint: 2, axis: -2 });
  const right = real(call, 3, { scale: constantAt(call, 4), zeroPoint: 5, axis: -1 });
  return matMul(withInputs(call, [left ?? call.inputs[0], right ?? call.inputs[3]]));
}

/** x, w, x_zero, w_zero; the scale is multiplied in later. */
export function convInteger(call: Call): readonly Activation[] {
  claimParameters(call, [2, 3]);
  return convOf(call, real(call, 1, { scale: laterScale(call), zeroPoint: 3, axis: 0 }));
}

/** a, b, a_zero, b_zero; the scale is multiplied in later. */
export function matMulInteger(call: Call): readonly Activation[] {
  claimParameters(call, [2, 3]);
  const scale = laterScale(call);
  const left = real(call, 0, { scale, zeroPoint: 2, axis: -2 });
  const right = real(call, 1, { scale, zeroPoint: 3, axis: -1 });
  return matMul(withInputs(call, [left ?? call.inputs[0], right ?? call.inputs[1]]));
}

/** com.microsoft: a, a_scale, a_zero, b, b_scale, b_zero, c, y_scale, y_zero; scales of b by its columns as they are stored. */
export function qGemm(call: Call): readonly Activation[] {
  claimParameters(call, [1, 2, 4, 5, 7, 8]);
  const axis = call.node.int("transB", 0) === 0 ? 1 : 0;
  const weight = real(call, 3, { scale: constantAt(call, 4), zeroPoint: 5, axis });
  return gemm(withInputs(call, [call.inputs[0], weight ?? call.inputs[3], call.inputs[6]]));
}

/** com.microsoft: a (float), b, b_scale, b_zero, bias. */
export function dynamicQuantizeMatMul(call: Call): readonly Activation[] {
  claimParameters(call, [2, 3]);
  claimInputs(call, 4, "bias");
  const weight = real(call, 1, { scale: constantAt(call, 2), zeroPoint: 3, axis: -1 });
  return matMul(withInputs(call, [call.inputs[0], weight ?? call.inputs[1]]));
}

/** com.microsoft: a, b, a_scale, b_scale, a_zero, b_zero, bias. */
export function matMulIntegerToFloat(call: Call): readonly Activation[] {
  claimParameters(call, [2, 3, 4, 5]);
  claimInputs(call, 6, "bias");
  const left = real(call, 0, { scale: constantAt(call, 2), zeroPoint: 4, axis: -2 });
  const right = real(call, 1, { scale: constantAt(call, 3), zeroPoint: 5, axis: -1 });
  return matMul(withInputs(call, [left ?? call.inputs[0], right ?? call.inputs[1]]));
}

/** DynamicQuantizeLinear: the values, then their scale and zero point. */
export function dynamicQuantize(call: Call): readonly Activation[] {
  return [activationAt(call, 0)];
}

/** The same node with other inputs: those that an operator on real numbers takes. */
export function withInputs(call: Call, inputs: Call["inputs"]): Call {
  return { ...call, inputs };
}

/** The inputs of an operator on real numbers, picked out of those of its quantised form; scales and zero points are constants. */
export function onReals(call: Call, form: QuantisedForm): Call {
  const kept = form.inputs(call.inputs.length);
  const others = Array.from(call.inputs.keys()).filter((at) => !kept.includes(at));
  claimParameters(call, others);
  return withInputs(
    call,
    kept.map((at) => call.inputs[at]),
  );
}

export function claimParameters(call: Call, inputs: readonly number[]): void {
  for (const at of inputs) {
    const constant = constantAt(call, at);
    if (constant !== null) call.collect.claim(constant, "constant");
  }
}

/** The input at `at` as real numbers; with a scale that does not fit it, in units of its own. Null: no quantised constant. */
export function real(
  call: Call,
  at: number,
  { scale, zeroPoint, axis }: { scale: Constant | null; zeroPoint: number; axis: number },
): Constant | null {
  const data = constantAt(call, at);
  if (data === null || (isFloat(data.dtype) && scale === null)) return null;
  const place = { axis: axis < 0 ? axis + data.shape.length : axis };
  const zeros = constantAt(call, zeroPoint);
  return (
    dequantise(data, scale, zeros, place) ??
    dequantise(data, null, zeros, place) ??
    dequantise(data, null, null, place)
  );
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
