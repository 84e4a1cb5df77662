/**
 * Arithmetic on shapes: exporters compute the target of a Reshape, or the condition of an If, at run time from sizes of which
 * some are known. Truth is 1, falsehood 0.
 */
import { slicePicks } from "./foldSelection.ts";
import { axisSize, shapeOf, type Activation } from "./activation.ts";
import { activationAt, integersAt, type Call } from "./operator.ts";
import type { Dimension } from "./schema.ts";

type Integers = readonly Dimension[];

/** The numbers that `call` computes, where it computes a shape, with their rank (0 or 1); else null. */
export async function shapeValueOf(call: Call): Promise<Activation | null> {
  const { opType } = call.node;
  if (opType === "Shape") return ofShape(call);
  if (opType === "Size") {
    const { axes } = activationAt(call, 0);
    return axes && vector([axisSize(axes.flat())], true);
  }
  const isUnderWay = call.inputs.some((value) => value?.kind === "activation" && value.integers);
  if (!isUnderWay) return null;
  const all = await Promise.all(call.inputs.map((_, i) => integersAt(call, i)));
  const first = all[0];
  if (!first) return null;
  switch (opType) {
    case "Identity":
    case "Cast":
      return vector(first, isScalar(call, 0));
    case "Squeeze":
    case "Unsqueeze":
      return vector(first, opType === "Squeeze");
    case "Gather": {
      const where = all[1];
      if (!where) return null;
      const picked = where.map((at) => (at === null ? null : (first.at(at) ?? null)));
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
      return combined(call, all, (a, b) => a * b);
    case "Div":
      return combined(call, all, (a, b) => (b === 0 ? null : Math.trunc(a / b)));
    case "Not":
      return combined(call, [first, first], (a) => truth(a === 0));
    case "Equal":
      return combined(call, all, (a, b) => truth(a === b));
    case "Less":
      return combined(call, all, (a, b) => truth(a < b));
    case "Greater":
      return combined(call, all, (a, b) => truth(a > b));
    case "And":
      return combined(call, all, (a, b) => truth(a !== 0 && b !== 0));
    case "Or":
      return combined(call, all, (a, b) => truth(a !== 0 || b !== 0));
    default:
      return null;
  }
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
  const shape = shapeOf(activationAt(call, 0));
  if (shape === null) return null;
  const { node } = call;
  return vector(shape.slice(node.int("start", 0), node.int("end", shape.length)), false);
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
): Activation | null {
  const [a, b] = all;
  if (!a || !b || (a.length !== b.length && a.length !== 1 && b.length !== 1)) return null;
  const length = Math.max(a.length, b.length);
  const integers = Array.from({ length }, (_, i) => {
    const left = a[a.length === 1 ? 0 : i]!;
    const right = b[b.length === 1 ? 0 : i]!;
    return left === null || right === null ? null : compute(left, right);
  });
  return vector(
    integers,
    call.inputs.every((_, i) => isScalar(call, i)),
  );
}
