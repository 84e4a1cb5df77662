/** Which operators read weights, from which operand, and what the axes of these mean. */
import type { WeightKind } from "../../model/model.ts";
import type { AxisRole } from "../../tensor/layout.ts";
import {
  flagAttribute,
  numbersOf,
  textAttribute,
  type Constant,
  type Value,
} from "./graphValues.ts";
import type { GraphNode } from "./schema.ts";

/** How an operator uses a constant as weights. */
export interface WeightUse {
  readonly weight: Constant;
  readonly kind: WeightKind;
  /** A role for each axis of the weight's view. */
  readonly roles: readonly AxisRole[];
  /** The operand that sends; null for an embedding, which reads words. */
  readonly from: Value;
  /** Where the sending and the receiving neurons lie, counted from the last axis. */
  readonly backIn: number;
  readonly backOut: number;
  readonly rankOut: number | null;
}

/** Null when the operator reads no weights: it is another one, or both operands depend on the input. */
export function weightUseOf(node: GraphNode, inputs: readonly Value[]): WeightUse | null {
  const use = Object.hasOwn(uses, node.op) ? uses[node.op]!(node, inputs) : null;
  if (use === null || use.weight.view?.length !== use.roles.length) return null;
  return use;
}

type UseReader = (node: GraphNode, inputs: readonly Value[]) => WeightUse | null;

const taps = (count: number): AxisRole[] => new Array<AxisRole>(count).fill("tap");

function kernel(places: number, kind: WeightKind, last: readonly AxisRole[]): UseReader {
  return (node, inputs) => {
    const weight = constantOf(inputs[1]);
    if (weight === null) return null;
    const isTranspose = kind === "conv_transpose";
    const back = textAttribute(node, "data_format").startsWith("NC") ? places : 0;
    return {
      weight,
      kind,
      roles: [...taps(places), ...last],
      from: inputs[isTranspose ? 2 : 0] ?? null,
      backIn: back,
      backOut: back,
      rankOut: places + 2,
    };
  };
}

const conv2d = kernel(2, "conv", ["in", "out"]);
const depthwise = kernel(2, "depthwise", ["group", "out"]);

const uses: Readonly<Record<string, UseReader>> = {
  Conv2D: conv2d,
  _FusedConv2D: conv2d,
  FusedConv2D: conv2d,
  Conv3D: kernel(3, "conv", ["in", "out"]),
  DepthwiseConv2dNative: depthwise,
  FusedDepthwiseConv2dNative: depthwise,
  _FusedDepthwiseConv2dNative: depthwise,
  Conv2DBackpropInput: kernel(2, "conv_transpose", ["out", "in"]),
  Conv3DBackpropInputV2: kernel(3, "conv_transpose", ["out", "in"]),
  MatMul: matrix,
  _FusedMatMul: matrix,
  BatchMatMul: matrix,
  BatchMatMulV2: matrix,
  Einsum: einsum,
  Gather: embedding,
  GatherV2: embedding,
  ResourceGather: embedding,
};

function constantOf(value: Value | undefined): Constant | null {
  return value?.kind === "constant" && value.tensor.dtype !== "int32" ? value : null;
}

function matrix(node: GraphNode, inputs: readonly Value[]): WeightUse | null {
  const isTransposed = (side: "a" | "b"): boolean =>
    flagAttribute(node, `transpose_${side}`) ||
    flagAttribute(node, side === "a" ? "adj_x" : "adj_y");
  const right = constantOf(inputs[1]);
  const left = constantOf(inputs[0]);
  const weight = right ?? left;
  const rank = weight?.view?.length ?? 2;
  if (weight === null || (right !== null && left !== null) || rank < 2) return null;
  const from = inputs[right === null ? 1 : 0] ?? null;
  const rankOut = from?.kind === "flow" ? from.rank : null;
  const isOutFirst = right === null ? !isTransposed("a") : isTransposed("b");
  const senders = right === null ? !isTransposed("b") : isTransposed("a");
  return {
    weight,
    kind: "dense",
    roles: [...taps(rank - 2), ...(isOutFirst ? outIn : inOut)],
    from,
    backIn: senders ? 1 : 0,
    backOut: right === null ? 1 : 0,
    rankOut,
  };
}

const inOut = ["in", "out"] as const;
const outIn = ["out", "in"] as const;

/** `abf,fe->abe`: a letter that is summed over is `in`, one that the weight alone brings is `out`, one in all three a group. */
function einsum(node: GraphNode, inputs: readonly Value[]): WeightUse | null {
  const match = /^(\w+),(\w+)->(\w+)$/.exec(textAttribute(node, "equation").replaceAll(" ", ""));
  const side = constantOf(inputs[1]) === null ? 0 : 1;
  const weight = constantOf(inputs[side]);
  if (match === null || weight === null) return null;
  const [, left = "", right = "", output = ""] = match;
  const [own, other] = side === 1 ? [right, left] : [left, right];
  const roles = own.split("").map((letter): AxisRole => {
    if (!output.includes(letter)) return "in";
    return other.includes(letter) ? "group" : "out";
  });
  const lastOf = (role: AxisRole): string =>
    own.split("").findLast((_, axis) => roles[axis] === role) ?? "";
  return {
    weight,
    kind: "dense",
    roles,
    from: inputs[1 - side] ?? null,
    backIn: other.length - 1 - other.indexOf(lastOf("in")),
    backOut: output.length - 1 - output.indexOf(lastOf("out")),
    rankOut: output.length,
  };
}

/** A row per word, looked up by number. */
function embedding(_: GraphNode, inputs: readonly Value[]): WeightUse | null {
  const weight = constantOf(inputs[0]);
  const [axis = 0] = numbersOf(inputs[2]) ?? [];
  if (weight === null || weight.view?.length !== 2 || axis !== 0) return null;
  const rank = inputs[1]?.kind === "flow" ? inputs[1].rank : null;
  const rankOut = rank === null ? null : rank + 1;
  return { weight, kind: "embedding", roles: inOut, from: null, backIn: 0, backOut: 0, rankOut };
}
