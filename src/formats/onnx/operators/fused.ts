/**
 * com.microsoft's fused operators: what a runtime's optimiser makes of several. The neurons are those of the parts.
 * Source: https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
 */
import { unknownActivation, type Activation } from "../activation.ts";
import type { Constant } from "../constant.ts";
import {
  activationAt,
  asActivation,
  claimInputs,
  constantAt,
  isWeighty,
  storedIn,
  type Call,
} from "../operator.ts";
import { lengthAlong, pickAlong } from "../pick.ts";
import { transpose } from "../reshape.ts";
import { conv, convOf, placeTransposed } from "./conv.ts";
import { gemm, matMul, meetMatrix, productOfActivations } from "./dense.ts";
import { combine } from "./elementwise.ts";
import { lookUp } from "./selection.ts";

/** MatMul whose factors may be turned: transA, transB, and the batch axes with transBatchA, transBatchB. */
export function fusedMatMul(call: Call): readonly Activation[] {
  const isTurned = (side: string): boolean => call.node.int(`trans${side}`, 0) !== 0;
  const turned = (at: number, side: string): Activation => {
    const own = batchTurned(activationAt(call, at), call.node.int(`transBatch${side}`, 0) !== 0);
    const rank = own.axes?.length ?? 0;
    if (!isTurned(side) || rank < 2) return own;
    const order = Array.from({ length: rank }, (_, i) => i);
    return transpose(own, [...order.slice(0, -2), rank - 1, rank - 2]);
  };
  const place = (constant: Constant, activation: Activation, isLeft: boolean): Activation => {
    const isRows = isLeft !== isTurned(isLeft ? "A" : "B");
    const last = isRows ? (["out", "in"] as const) : (["in", "out"] as const);
    return meetMatrix(call, { constant, activation, last, fromEnd: isLeft ? 2 : 1 });
  };
  const right = constantAt(call, 1);
  if (isWeighty(right)) return [place(right, turned(0, "A"), false)];
  const left = constantAt(call, 0);
  if (isWeighty(left)) return [place(left, turned(1, "B"), true)];
  return [productOfActivations(call, turned(0, "A"), turned(1, "B"))];
}

/** The first axis moves to the place before the last two. */
function batchTurned(activation: Activation, isTurned: boolean): Activation {
  const rank = activation.axes?.length ?? 0;
  if (!isTurned || rank < 3) return activation;
  const order = Array.from({ length: rank }, (_, i) => i);
  return transpose(activation, [...order.slice(1, -1), 0, rank - 1]);
}

/** X, W, bias. */
export function matMulWithBias(call: Call): readonly Activation[] {
  claimInputs(call, 2, "bias");
  return matMul(call);
}

/** A, B, C, then scales. */
export function scaledGemm(call: Call): readonly Activation[] {
  claimInputs(call, 3, "constant");
  return gemm({ ...call, inputs: call.inputs.slice(0, 3) });
}

/** X, W, B and Z, which is added. */
export function fusedConv(call: Call): readonly Activation[] {
  return withSum(call, conv({ ...call, inputs: call.inputs.slice(0, 3) }));
}

/** The same with channels last, in the weight [out, …kernel, in / groups] too. */
export function lastConv(call: Call): readonly Activation[] {
  claimInputs(call, 2, "bias", 3);
  return withSum(call, convOf(call, constantAt(call, 1), { isLast: true }));
}

function withSum(call: Call, [made = unknownActivation]: readonly Activation[]): Activation[] {
  const added = call.inputs[3];
  return [added === undefined ? made : combine(call, [made, asActivation(added)], "sum")];
}

/** X, W, pads, B. */
export function convTransposeWithPads(call: Call): readonly Activation[] {
  claimInputs(call, 2, "constant", 3);
  claimInputs(call, 3, "bias");
  return placeTransposed(call);
}

/** input, weight [channels, 1, kernel], bias, past: a kernel for each channel. */
export function causalConv(call: Call): readonly Activation[] {
  claimInputs(call, 2, "bias", 3);
  claimInputs(call, 3, "constant");
  const weight = constantAt(call, 1);
  return convOf(call, weight, { groups: weight?.shape[0] ?? 1 });
}

/** X, W, offset, B, mask. */
export function deformConv(call: Call): readonly Activation[] {
  claimInputs(call, 3, "bias", 4);
  return convOf(call, constantAt(call, 1));
}

/** data and a bias. */
export function biased(call: Call): readonly Activation[] {
  for (const value of call.inputs) {
    const stored = storedIn(value);
    if (stored !== null) call.collect.claim(stored, "bias");
  }
  return [
    combine(call, call.inputs.filter((value) => value !== undefined).map(asActivation), "sum"),
  ];
}

/** data, bias, a residual, then numbers of the dropout. */
export function biasedDropout(call: Call): readonly Activation[] {
  return biased({ ...call, inputs: call.inputs.slice(0, 3) });
}

/** data and a bias, of which one half scales the other. */
export function biasedHalves(call: Call): readonly Activation[] {
  const [sum = unknownActivation] = biased(call);
  const axis = (sum.axes?.length ?? 0) - 1;
  const size = axis < 0 ? null : lengthAlong(sum, axis);
  if (size === null) return [unknownActivation];
  return [pickAlong(sum, axis, { count: Math.floor(size / 2), at: (i) => i })];
}

/** input, skip, scale, then a shift and a bias: the first two are added. Outputs the sum last. */
export function skipNormalise(call: Call): readonly Activation[] {
  claimInputs(call, 2, "normalisation");
  const sum = combine(call, call.inputs.slice(0, 2).map(asActivation), "sum");
  return [sum, unknownActivation, unknownActivation, sum];
}

/** X, scale, shift, skip, bias. Outputs the sum second. */
export function skipGroupNormalise(call: Call): readonly Activation[] {
  claimInputs(call, 1, "normalisation", 3);
  claimInputs(call, 4, "bias");
  const parts = [call.inputs[0], call.inputs[3]].filter((value) => value !== undefined);
  const sum = combine(call, parts.map(asActivation), "sum");
  return [sum, sum];
}

/** ids of words and segments, their tables and that of positions, scale, shift, mask, ids of positions. */
export function embedNormalise(call: Call): readonly Activation[] {
  claimInputs(call, 5, "normalisation", 7);
  const tables = [
    [2, 0],
    [3, 8],
    [4, 1],
  ].flatMap(([table, ids]) => {
    const constant = constantAt(call, table!);
    return constant === null ? [] : [{ table: constant, indices: call.inputs[ids!], axis: 0 }];
  });
  if (tables.length === 0) return [unknownActivation];
  const sum = combine(
    call,
    tables.map((table) => lookUp(call, table)),
    "sum",
  );
  return [sum, unknownActivation, sum];
}
