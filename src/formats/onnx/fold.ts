/**
 * Constant folding: what some operators make of constants, so that a weight is found behind them.
 * Values are computed when they are read. Source of the rules: https://onnx.ai/onnx/operators.
 */
import type { FloatArray } from "../../tensor/dtype.ts";
import { permute } from "../../tensor/permute.ts";
import { elementCount, type Shape } from "../../tensor/shape.ts";
import {
  checkGenerated,
  foldedFrom,
  integersOf,
  type Constant,
  type Fold,
  type Inputs,
} from "./constant.ts";
import { foldBinary, foldUnary, foldWhere } from "./foldElements.ts";
import { foldConcat, foldGather, foldSlice } from "./foldSelection.ts";
import { foldClip, foldReduce, foldSplit, type Reduction } from "./foldReduce.ts";
import type { NodeReader } from "./nodeReader.ts";
import { knownType } from "./tensorProto.ts";

const total: Reduction = { start: 0, add: (sum, value) => sum + value };
const squares: Reduction = { start: 0, add: (sum, value) => sum + value * value };

/** The operators that are folded when all their inputs are constants. Null: this use of it is not. */
export const folds: ReadonlyMap<string, Fold> = new Map<string, Fold>([
  ["Identity", async (_, [data]) => data ?? null],
  ["Cast", foldCast],
  ["Transpose", foldTranspose],
  ["Reshape", foldReshape],
  ["Flatten", foldFlatten],
  ["Squeeze", foldSqueeze],
  ["Unsqueeze", foldUnsqueeze],
  ["Slice", foldSlice],
  ["Gather", foldGather],
  ["Concat", foldConcat],
  ["ConstantOfShape", foldConstantOfShape],
  ["Add", foldBinary((a, b) => a + b)],
  ["Sub", foldBinary((a, b) => a - b)],
  ["Mul", foldBinary((a, b) => a * b)],
  ["Div", foldDivision],
  ["Max", foldBinary(Math.max)],
  ["Min", foldBinary(Math.min)],
  ["Pow", foldBinary((a, b) => a ** b)],
  ["Equal", foldBinary((a, b) => Number(a === b), "bool")],
  ["Where", foldWhere],
  ["Neg", foldUnary((a) => -a)],
  ["Abs", foldUnary(Math.abs)],
  ["Sqrt", foldUnary(Math.sqrt)],
  ["Reciprocal", foldUnary((a) => 1 / a)],
  ["Cos", foldUnary(Math.cos)],
  ["Sin", foldUnary(Math.sin)],
  ["Exp", foldUnary(Math.exp)],
  ["Tanh", foldUnary(Math.tanh)],
  ["Sigmoid", foldUnary((a) => 1 / (1 + Math.exp(-a)))],
  ["Relu", foldUnary((a) => Math.max(0, a))],
  ["Log", foldUnary(Math.log)],
  ["Sign", foldUnary(Math.sign)],
  ["Floor", foldUnary(Math.floor)],
  ["Ceil", foldUnary(Math.ceil)],
  ["Clip", foldClip],
  ["Split", foldSplit],
  ["ReduceSum", foldReduce(total)],
  ["ReduceMean", foldReduce({ ...total, finish: (sum, count) => sum / count })],
  ["ReduceMax", foldReduce({ start: -Infinity, add: Math.max })],
  ["ReduceMin", foldReduce({ start: Infinity, add: Math.min })],
  ["ReduceProd", foldReduce({ start: 1, add: (product, value) => product * value })],
  ["ReduceL1", foldReduce({ start: 0, add: (sum, value) => sum + Math.abs(value) })],
  ["ReduceL2", foldReduce({ ...squares, finish: Math.sqrt })],
  ["ReduceSumSquare", foldReduce(squares)],
]);

/** Whole numbers divide towards zero. */
async function foldDivision(node: NodeReader, inputs: Inputs) {
  const isWhole = inputs.every((input) => input !== undefined && /^u?int/.test(input.dtype));
  return foldBinary(isWhole ? (a, b) => Math.trunc(a / b) : (a, b) => a / b)(node, inputs);
}

async function foldCast(node: NodeReader, [data]: Inputs) {
  if (data === undefined) return null;
  const dtype = knownType(node.int("to", 0));
  if (dtype === null || dtype === data.dtype) return dtype && data;
  return foldedFrom([data], { dtype, shape: data.shape, ...sameOrder(data) });
}

async function foldTranspose(node: NodeReader, [data]: Inputs) {
  if (data === undefined) return null;
  const { shape } = data;
  const order = node.ints("perm") ?? shape.map((_, axis) => shape.length - 1 - axis);
  const isOrder = order.length === shape.length && new Set(order).size === order.length;
  if (!isOrder || order.some((axis) => shape[axis] === undefined)) return null;
  return foldedFrom([data], {
    shape: order.map((axis) => shape[axis]!),
    read: async () => permute(await data.read(), shape, order),
  });
}

/** The same values under another shape; null where the counts differ. */
function reshaped(data: Constant, shape: Shape): Constant | null {
  if (shape.some((size) => !Number.isSafeInteger(size) || size < 0)) return null;
  const count = shape.reduce((a, b) => a * b, 1);
  if (count !== elementCount(data.shape)) return null;
  return foldedFrom([data], { shape, ...sameOrder(data) });
}

function sameOrder(data: Constant): Pick<Constant, "read" | "readSpan"> {
  return { read: () => data.read(), ...(data.readSpan && { readSpan: data.readSpan }) };
}

async function foldReshape(node: NodeReader, inputs: Inputs) {
  const [data, target] = inputs;
  const wanted = target ? await integersOf(target) : node.ints("shape");
  if (data === undefined || !wanted) return null;
  const copied = wanted.map((size, axis) =>
    size === 0 && node.int("allowzero", 0) === 0 ? (data.shape[axis] ?? 0) : size,
  );
  const known = copied.filter((size) => size !== -1).reduce((a, b) => a * b, 1);
  return reshaped(
    data,
    copied.map((size) => (size === -1 ? elementCount(data.shape) / known : size)),
  );
}

async function foldFlatten(node: NodeReader, [data]: Inputs) {
  if (data === undefined) return null;
  const axis = node.axis(data.shape.length, 1);
  const { shape } = data;
  return reshaped(data, [elementCount(shape.slice(0, axis)), elementCount(shape.slice(axis))]);
}

async function foldSqueeze(node: NodeReader, [data, axesInput]: Inputs) {
  if (data === undefined) return null;
  const rank = data.shape.length;
  const axes = (await axesOf(node, axesInput))?.map((axis) => (axis < 0 ? axis + rank : axis));
  return reshaped(
    data,
    data.shape.filter((size, axis) => (axes ? !axes.includes(axis) : size !== 1)),
  );
}

async function foldUnsqueeze(node: NodeReader, [data, axesInput]: Inputs) {
  const axes = await axesOf(node, axesInput);
  if (data === undefined || !axes) return null;
  const rank = data.shape.length + axes.length;
  const shape = [...data.shape];
  for (const axis of axes.map((own) => (own < 0 ? own + rank : own)).sort((a, b) => a - b)) {
    shape.splice(axis, 0, 1);
  }
  return reshaped(data, shape);
}

/** Axes stand in an attribute up to opset 12, in an input since. */
async function axesOf(node: NodeReader, input: Constant | undefined): Promise<number[] | null> {
  return input ? integersOf(input) : (node.ints("axes")?.slice() ?? null);
}

async function foldConstantOfShape(node: NodeReader, [input]: Inputs) {
  const shape = input ? await integersOf(input) : null;
  if (!shape || shape.some((size) => size < 0)) return null;
  checkGenerated(shape, node);
  const value = node.tensor("value");
  if (value && (value.unreadable !== undefined || elementCount(value.shape) !== 1)) return null;
  const count = elementCount(shape);
  const read = async (): Promise<FloatArray> => {
    if (value === null) return new Float32Array(count);
    const one = await value.read();
    return new (one.constructor as typeof Float64Array)(count).fill(one[0]!);
  };
  const dtype = value?.dtype ?? ("float32" as const);
  const record = { name: node.outputs[0] ?? "", dtype, shape, read };
  return { kind: "constant" as const, ...record, records: [record], cost: 1 };
}
