/**
 * Arithmetic on shapes: exporters compute the target of a Reshape, or the condition of an If, at run time from sizes of which
 * some are known. Truth is 1, falsehood 0.
 */
import { slicePicks } from "./foldSelection.ts";
import { axisSize, type Activation, type Axis, type Multiple, type Size } from "./activation.ts";
import { activationAt, integersAt, sizesAt, type Call } from "./operator.ts";
import type { Dimension } from "./schema.ts";

type Integers = readonly Size[];

/** Numbers that are computed together: more than any shape has, fewer than a file can make of a few bytes. */
const lengthLimit = 4096;

/** The numbers that `call` computes, where it computes a shape, with their rank (0 or 1); else null. */
export async function shapeValueOf(call: Call): Promise<Activation | null> {
  const made = await computed(call);
  return made !== null && made.integers!.length > lengthLimit ? null : made;
}

async function computed(call: Call): Promise<Activation | null> {
  const { opType } = call.node;
  if (opType === "Shape") return ofShape(call);
  if (opType === "Size") {
    const { axes } = activationAt(call, 0);
    return axes && vector([sizeOf(axes.flat())], true);
  }
  const isUnderWay = call.inputs.some((value) => value?.kind === "activation" && value.integers);
  if (!isUnderWay) return null;
  const all = await Promise.all(call.inputs.map((_, i) => sizesAt(call, i)));
  const first = all[0];
  if (!first) return null;
  switch (opType) {
    case "Identity":
    case "Cast":
      return vector(first, isScalar(call, 0));
    case "Reshape":
      return reshaped(first, all[1] ?? null);
    case "ConstantOfShape":
      return filled(call, first);
    case "Where":
      return chosen(call, all);
    case "Expand":
      return repeated(first, all[1] ?? null);
    case "Range":
      return ranged(all);
    case "ReduceProd":
      return vector([product(first)], call.node.int("keepdims", 1) === 0);
    case "Squeeze":
    case "Unsqueeze":
      return vector(first, opType === "Squeeze");
    case "Gather": {
      const where = all[1];
      if (!where) return null;
      const picked = where.map((at) => (typeof at === "number" ? (first.at(at) ?? null) : null));
      return vector(picked, isScalar(call, 1));
    }
    case "Slice":
      return sliced(call, first);
    case "Concat":
      return all.every((part) => part !== null) ? vector(all.flat(), false) : null;
    case "Add":
      return combined(call, all, (a, b) => a + b);
    case "Sub":
      return combined(call, all, (a, b) => a - b);
    case "Mul":
      return combined(call, all, (a, b) => a * b, multiple);
    case "Div":
      return combined(call, all, (a, b) => (b === 0 ? null : Math.trunc(a / b)));
    case "Mod":
      return combined(call, all, (a, b) => (b === 0 ? null : a - Math.floor(a / b) * b));
    case "Min":
      return combined(call, all, (a, b) => Math.min(a, b));
    case "Max":
      return combined(call, all, (a, b) => Math.max(a, b));
    case "Neg":
      return combined(call, [first, first], (a) => -a);
    case "Floor":
    case "Ceil":
    case "Abs":
      return combined(call, [first, first], (a) => Math.abs(a));
    case "Not":
      return combined(call, [first, first], (a) => truth(a === 0));
    case "Equal":
      return combined(call, all, (a, b) => truth(a === b));
    case "Less":
      return combined(call, all, (a, b) => truth(a < b));
    case "Greater":
      return combined(call, all, (a, b) => truth(a > b));
    case "LessOrEqual":
      return combined(call, all, (a, b) => truth(a <= b));
    case "GreaterOrEqual":
      return combined(call, all, (a, b) => truth(a >= b));
    case "And":
      return combined(call, all, (a, b) => truth(a !== 0 && b !== 0));
    case "Or":
      return combined(call, all, (a, b) => truth(a !== 0 || b !== 0));
    default:
      return null;
  }
}

/** A list stays a list; of one number, an empty target makes a single one. */
function reshaped(integers: Integers, target: Integers | null): Activation | null {
  return target !== null && target.length < 2 ? vector(integers, target.length === 0) : null;
}

/** Lengths that a list of sizes is made for: no shape has more axes. */
const rankLimit = 64;

async function filled(call: Call, shape: Integers): Promise<Activation | null> {
  const [length] = shape;
  if (shape.length !== 1 || typeof length !== "number" || length > rankLimit || length < 0) {
    return null;
  }
  const value = call.node.tensor("value");
  const fill = value === null ? 0 : ((await value.read())[0] ?? 0);
  return Number.isInteger(fill) ? vector(new Array<number>(length).fill(fill), false) : null;
}

function chosen(
  call: Call,
  [condition, one, other]: readonly (Integers | null)[],
): Activation | null {
  if (!condition || !one || !other) return null;
  const length = Math.max(condition.length, one.length, other.length);
  const at = (list: Integers, i: number): Size => list[list.length === 1 ? 0 : i] ?? null;
  const picked = Array.from({ length }, (_, i) => {
    const holds = at(condition, i);
    if (typeof holds !== "number") return at(one, i) === at(other, i) ? at(one, i) : null;
    return holds === 0 ? at(other, i) : at(one, i);
  });
  return vector(
    picked,
    call.inputs.every((_, i) => isScalar(call, i)),
  );
}

function repeated(integers: Integers, target: Integers | null): Activation | null {
  const [length] = target ?? [];
  if (target?.length !== 1 || integers.length !== 1 || typeof length !== "number") return null;
  if (length > rankLimit || length < 1) return null;
  return vector(new Array<Size>(length).fill(integers[0]!), false);
}

function ranged(all: readonly (Integers | null)[]): Activation | null {
  const [start, limit, step] = all.map((list) => list?.[0] ?? null);
  if (typeof start !== "number" || typeof limit !== "number" || typeof step !== "number") {
    return null;
  }
  const length = Math.max(0, Math.ceil((limit - start) / step));
  if (!(length <= rankLimit)) return null;
  return vector(
    Array.from({ length }, (_, i) => start + i * step),
    false,
  );
}

function product(integers: Integers): Size {
  return integers.reduce<Size>(
    (a, b) => (typeof a === "number" && typeof b === "number" ? a * b : multiple(a, b)),
    1,
  );
}

function truth(holds: boolean): number {
  return holds ? 1 : 0;
}

function vector(integers: Integers, isSingle: boolean): Activation {
  const axes =
    isSingle && integers.length === 1 ? [] : [[{ size: integers.length, carries: false }]];
  return { kind: "activation", axes, ids: null, open: null, integers };
}

function isScalar({ inputs }: Call, at: number): boolean {
  const value = inputs[at];
  return (value?.kind === "constant" ? value.shape : value?.axes)?.length === 0;
}

function ofShape(call: Call): Activation | null {
  const { axes } = activationAt(call, 0);
  if (axes === null) return null;
  const { node } = call;
  const shape = axes.map(sizeOf);
  return vector(shape.slice(node.int("start", 0), node.int("end", shape.length)), false);
}

function sizeOf(axis: Axis): Size {
  const known = axis.reduce((factor, atom) => factor * (atom.size ?? 1), 1);
  return axisSize(axis) ?? (known === 1 ? null : { factor: known });
}

/** The product of two numbers of which one or both are not known. */
function multiple(a: Size, b: Size): Size {
  const factor = factorOf(a) * factorOf(b);
  return factor === 1 ? null : { factor };
}

function factorOf(size: Size): number {
  if (typeof size === "number") return size;
  return size === null ? 1 : (size satisfies Multiple).factor;
}

async function sliced(call: Call, integers: Integers): Promise<Activation | null> {
  const one = async (at: number, name: string): Promise<number | null> =>
    (call.inputs[at] === undefined
      ? call.node.ints(name)?.[0]
      : (await integersAt(call, at))?.[0]) ?? null;
  const start = await one(1, "starts");
  const end = await one(2, "ends");
  const step = call.inputs[4] === undefined ? 1 : await one(4, "steps");
  if (start === null || end === null || step === null) return null;
  const { count, at } = slicePicks(integers.length, { start, end, step });
  return vector(
    Array.from({ length: count }, (_, i) => integers[at(i)]!),
    false,
  );
}

function combined(
  call: Call,
  all: readonly (Integers | null)[],
  compute: (a: number, b: number) => Dimension,
  otherwise: (a: Size, b: Size) => Size = () => null,
): Activation | null {
  const [a, b] = all;
  if (!a || !b || (a.length !== b.length && a.length !== 1 && b.length !== 1)) return null;
  const length = Math.max(a.length, b.length);
  const integers = Array.from({ length }, (_, i) => {
    const left = a[a.length === 1 ? 0 : i]!;
    const right = b[b.length === 1 ? 0 : i]!;
    const isKnown = typeof left === "number" && typeof right === "number";
    return isKnown ? compute(left, right) : otherwise(left, right);
  });
  return vector(
    integers,
    call.inputs.every((_, i) => isScalar(call, i)),
  );
}
