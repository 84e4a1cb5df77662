/** Einsum of an activation and a constant: a dense layer whose axes are named by letters. */
import type { AxisRole } from "../../../tensor/layout.ts";
import type { Shape } from "../../../tensor/shape.ts";
import {
  freshAxis,
  unknownActivation,
  uncarried,
  withAxes,
  type Activation,
  type Atom,
  type Axis,
} from "../activation.ts";
import type { Constant } from "../constant.ts";
import { activationAt, claimInputs, constantAt, isWeighty, type Call } from "../operator.ts";
import { placeDense } from "../placeDense.ts";

/** The letters of each operand and of the result. */
interface Equation {
  readonly weight: string;
  readonly activation: string;
  readonly result: string;
}

export function einsum(call: Call): readonly Activation[] {
  const terms = parse(call.node.text("equation", ""));
  const at = [0, 1].find((i) => isWeighty(constantAt(call, i)));
  if (terms === null || at === undefined || call.inputs.length !== 2) {
    claimInputs(call, 0, "constant");
    return [unknownActivation];
  }
  const weight = terms.operands[at]!;
  const activation = terms.operands[1 - at]!;
  const equation = { weight, activation, result: terms.result };
  return [
    placeEinsum(call, constantAt(call, at)!, { activation: activationAt(call, 1 - at), equation }),
  ];
}

function parse(text: string): { operands: [string, string]; result: string } | null {
  const [left, right] = text.replaceAll(" ", "").split("->");
  const operands = left?.split(",") ?? [];
  const isPlain = [...operands, right ?? "."].every(
    (term) => /^[A-Za-z]*$/.test(term) && new Set(term).size === term.length,
  );
  if (!isPlain || operands.length !== 2) return null;
  return { operands: operands as [string, string], result: right! };
}

function placeEinsum(
  call: Call,
  constant: Constant,
  { activation, equation }: { activation: Activation; equation: Equation },
): Activation {
  const letters = equation.weight.split("");
  const roles = letters.map((letter) => roleOf(letter, equation));
  if (letters.length !== constant.shape.length) return unknownActivation;
  const merged = mergeInputs(constant.shape, roles);
  const isDense = merged?.roles.includes("out") === true && !merged.roles.includes("group");
  if (merged === null || !isDense) return unknownActivation;
  const place = new Map(equation.activation.split("").map((letter, i) => [letter, i] as const));
  const axisOf = (letter: string): Axis =>
    activation.axes?.[place.get(letter) ?? -1] ?? freshAxis(null);
  // The axes that are summed over become one, in the weight's own order.
  const summed = letters.filter((_, i) => roles[i] === "in").map(axisOf);
  const others = equation.activation
    .split("")
    .filter((letter) => !equation.weight.includes(letter));
  const turned = withAxes(activation, [others.flatMap(axisOf), summed.flat()]);
  const to = placeDense(call, { constant, ...merged, activation: turned, axis: 1 });
  const atoms = new Map<string, Atom>();
  letters.forEach((letter, i) => {
    if (roles[i] === "out") atoms.set(letter, { size: constant.shape[i]!, carries: true });
  });
  const made: Activation = { kind: "activation", axes: [[...atoms.values()]], ids: to, open: null };
  return withAxes(
    made,
    equation.result.split("").map((letter): Axis => {
      const atom = atoms.get(letter);
      return atom ? [atom] : uncarried(axisOf(letter));
    }),
  );
}

function roleOf(letter: string, { activation, result }: Equation): AxisRole {
  if (result.includes(letter)) return activation.includes(letter) ? "group" : "out";
  return activation.includes(letter) ? "in" : "tap";
}

/** The input axes as one, which they can be where they stand side by side; null otherwise, or where there is none. */
function mergeInputs(
  shape: Shape,
  roles: readonly AxisRole[],
): { split: Shape; roles: AxisRole[] } | null {
  const first = roles.indexOf("in");
  const last = roles.lastIndexOf("in");
  if (first < 0 || roles.slice(first, last).some((role) => role !== "in")) return null;
  const size = shape.slice(first, last + 1).reduce((a, b) => a * b, 1);
  return {
    split: shape.toSpliced(first, last + 1 - first, size),
    roles: roles.toSpliced(first, last + 1 - first, "in"),
  };
}
