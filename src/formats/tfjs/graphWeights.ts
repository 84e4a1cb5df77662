/** Which operators read weights, from which operand, and what the axes of these mean. */
import type { WeightKind } from "../../model/model.ts";
import { isFloat, type DType } from "../../tensor/dtype.ts";
import type { AxisRole } from "../../tensor/layout.ts";
import {
  flagAttribute,
  numbersOf,
  textAttribute,
  type Constant,
  type Part,
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
  /** Where the operator reads or puts out neurons on several axes: the outer ones, outermost first. */
  readonly outerIn?: readonly number[];
  readonly outerOut?: readonly Part[];
  /** What the graph computes with the weights before it uses them. */
  readonly factors: readonly Constant[];
  /** True where the operator does not read the stored numbers: they are multiplied, cut, repeated before. */
  readonly isComputed: boolean;
}

/** A constant operand that is read as weights. */
interface Operand {
  readonly weight: Constant;
  readonly factors: readonly Constant[];
  readonly isComputed: boolean;
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
    const operand = constantOf(inputs[1], places + last.length);
    if (operand === null) return null;
    const isTranspose = kind === "conv_transpose";
    const back = textAttribute(node, "data_format").startsWith("NC") ? places : 0;
    return {
      ...operand,
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
  Conv1D: kernel(1, "conv", ["in", "out"]),
  Conv2D: conv2d,
  _FusedConv2D: conv2d,
  FusedConv2D: conv2d,
  Conv3D: kernel(3, "conv", ["in", "out"]),
  DepthwiseConv2d: depthwise,
  DepthwiseConv2dNative: depthwise,
  FusedDepthwiseConv2dNative: depthwise,
  _FusedDepthwiseConv2dNative: depthwise,
  Dilation2D: kernel(2, "depthwise", ["group"]),
  Conv2DBackpropInput: kernel(2, "conv_transpose", ["out", "in"]),
  Conv3DBackpropInput: kernel(3, "conv_transpose", ["out", "in"]),
  Conv3DBackpropInputV2: kernel(3, "conv_transpose", ["out", "in"]),
  MatMul: matrix,
  _FusedMatMul: matrix,
  BatchMatMul: matrix,
  BatchMatMulV2: matrix,
  BatchMatMulV3: matrix,
  SparseMatMul: matrix,
  Einsum: einsum,
  Gather: embedding,
  GatherV2: embedding,
  ResourceGather: embedding,
  SparseSegmentSum: embedding,
  SparseSegmentMean: embedding,
};

/**
 * Weights as stored, or what the graph computes from them and other constants: then the constant with `axes` axes is the
 * weights, and the others their factors.
 */
function constantOf(value: Value | undefined, axes: number | null = null): Operand | null {
  if (value?.kind === "constant") {
    return mayBeWeights(value) ? { weight: value, factors: [], isComputed: false } : null;
  }
  if (value?.kind !== "computed") return null;
  const fits = ({ view }: Constant): boolean =>
    view !== null && (axes === null ? view.length > 1 : view.length === axes);
  const size = ({ tensor }: Constant): number =>
    tensor.shape.reduce((product, own) => product * own, 1);
  const [weight] = value.parts.filter(fits).sort((one, other) => size(other) - size(one));
  if (weight === undefined || !mayBeWeights(weight)) return null;
  const factors = value.parts.filter((part) => part.tensor !== weight.tensor);
  return { weight, factors, isComputed: true };
}

/** Whole numbers are indices; a tensor without elements has no neurons, whatever its axes say. */
function mayBeWeights({ tensor: { dtype, shape } }: Constant): boolean {
  return isFloatLike(dtype) && !shape.includes(0);
}

function isFloatLike(dtype: DType): boolean {
  return isFloat(dtype) || dtype === "uint8" || dtype === "uint16";
}

function matrix(node: GraphNode, inputs: readonly Value[]): WeightUse | null {
  const isTransposed = (side: "a" | "b"): boolean =>
    flagAttribute(node, `transpose_${side}`) ||
    flagAttribute(node, side === "a" ? "adj_x" : "adj_y");
  const right = constantOf(inputs[1]);
  const left = constantOf(inputs[0]);
  const operand = right ?? left;
  const rank = operand?.weight.view?.length ?? 2;
  if (operand === null || (right !== null && left !== null) || rank < 2) return null;
  const from = inputs[right === null ? 1 : 0] ?? null;
  const rankOut = from?.kind === "flow" ? from.rank : null;
  const isOutFirst = right === null ? !isTransposed("a") : isTransposed("b");
  const senders = right === null ? !isTransposed("b") : isTransposed("a");
  return {
    ...operand,
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
  const right = constantOf(inputs[1]);
  const operand = right ?? constantOf(inputs[0]);
  if (match === null || operand === null) return null;
  const side = right === null ? 0 : 1;
  const [, first = "", second = "", output = ""] = match;
  const [own, other] = side === 1 ? [second, first] : [first, second];
  const letters = own.split("");
  const roles = letters.map((letter): AxisRole => {
    if (!output.includes(letter)) return "in";
    return other.includes(letter) ? "group" : "out";
  });
  const sizes = operand.weight.view?.map((axes) =>
    axes.reduce((product, axis) => product * operand.weight.tensor.shape[axis]!, 1),
  );
  // Neurons are numbered group by group, as weights are laid out.
  const ordered = (role: AxisRole): number[] =>
    (["group", role] as const).flatMap((wanted) =>
      roles.flatMap((role_, axis) => (role_ === wanted ? [axis] : [])),
    );
  const backs = (role: AxisRole, side_: string): number[] =>
    ordered(role).map((axis) => side_.length - 1 - side_.lastIndexOf(letters[axis]!));
  const [into, out] = [backs("in", other), backs("out", output)];
  const outSizes = ordered("out").map((axis) => sizes?.[axis] ?? 1);
  return {
    ...operand,
    kind: "dense",
    roles,
    from: inputs[1 - side] ?? null,
    backIn: into.at(-1) ?? 0,
    backOut: out.at(-1) ?? 0,
    outerIn: into.slice(0, -1),
    outerOut: out.slice(0, -1).map((back, i) => ({ back, size: outSizes[i]! })),
    rankOut: output.length,
  };
}

/** A row per word, looked up by number. */
function embedding(node: GraphNode, inputs: readonly Value[]): WeightUse | null {
  const operand = constantOf(inputs[0]);
  const axes = node.op === "GatherV2" ? numbersOf(inputs[2]) : null;
  if (operand === null || operand.weight.view?.length !== 2 || (axes?.[0] ?? 0) !== 0) return null;
  // A look-up by constants is a computation on constants.
  if (inputs[1]?.kind === "constant" || inputs[1]?.kind === "numbers") return null;
  const rank = inputs[1]?.kind === "flow" ? inputs[1].rank : null;
  const rankOut = rank === null ? null : rank + 1;
  return {
    ...operand,
    kind: "embedding",
    roles: inOut,
    from: null,
    backIn: 0,
    backOut: 0,
    rankOut,
  };
}
