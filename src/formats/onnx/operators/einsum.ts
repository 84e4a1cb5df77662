/** Einsum: a constant is a dense layer whose axes are named by letters; of two activations one is the value. */
import type { AxisRole } from "../../../tensor/layout.ts";
import {
  carriesNeurons,
  freshAxis,
  uncarried,
  unknownActivation,
  withAxes,
  type Activation,
  type Axis,
} from "../activation.ts";
import type { Constant } from "../constant.ts";
import { tellProduct, type Factor } from "../heads.ts";
import { activationAt, claimInputs, constantAt, isWeighty, type Call } from "../operator.ts";
import { placeStack, standsAtPositions } from "../placeDense.ts";

/** The letters of each operand and of the result. */
interface Terms {
  readonly operands: readonly [string, string];
  readonly result: string;
}

export function einsum(call: Call): readonly Activation[] {
  const ranks = call.inputs.map(
    (value) => (value?.kind === "constant" ? value.shape : value?.axes)?.length ?? null,
  );
  const terms = parse(call.node.text("equation", ""), ranks);
  const at = [0, 1].find((i) => isWeighty(constantAt(call, i)));
  if (terms === null) return lost(call);
  if (at === undefined) {
    claimInputs(call, 0, "constant");
    return [ofActivations(call, terms)];
  }
  return placeEinsum(call, at, terms);
}

/** Null for what is not followed: three operands, a diagonal. */
function parse(text: string, ranks: readonly (number | null)[]): Terms | null {
  const [left = "", right] = text.replaceAll(" ", "").split("->");
  const written = left.split(",");
  if (written.length !== 2) return null;
  const dots = Math.max(
    0,
    ...written.map((term, i) => (term.includes("...") ? (ranks[i] ?? 0) - (term.length - 3) : 0)),
  );
  if (dots > 8) return null;
  const plain = (term: string, i?: number): string => {
    const count = i === undefined ? dots : (ranks[i] ?? 0) - (term.length - 3);
    return term.replace("...", "01234567".slice(dots - Math.max(0, count), dots));
  };
  const operands = written.map(plain);
  const once = operands.join("").split("").toSorted();
  const implied = once.filter((letter, i) => letter !== once[i - 1] && letter !== once[i + 1]);
  const result = right === undefined ? implied.join("") : plain(right);
  const isPlain = [...operands, result].every(
    (term) => /^[A-Za-z0-7]*$/.test(term) && new Set(term).size === term.length,
  );
  return isPlain ? { operands: operands as [string, string], result } : null;
}

/** A weight that is not followed stays unexplained, in the open. */
function lost(call: Call): readonly Activation[] {
  const weights = call.inputs.flatMap((_, i) => constantAt(call, i) ?? []).filter(isWeighty);
  for (const weight of weights) call.collect.claim(weight, "unknown");
  if (weights.length > 0) call.collect.unknownOperator(call.node.opType);
  return [unknownActivation];
}

function placeEinsum(call: Call, at: number, { operands, result }: Terms): readonly Activation[] {
  const constant: Constant = constantAt(call, at)!;
  const activation = activationAt(call, 1 - at);
  const letters = operands[at]!.split("");
  const other = operands[1 - at]!;
  if (letters.length !== constant.shape.length) return lost(call);
  const place = new Map(other.split("").map((letter, i) => [letter, i] as const));
  const axisOf = (letter: string): Axis =>
    activation.axes?.[place.get(letter) ?? -1] ?? freshAxis(null);
  const roleOf = (letter: string): AxisRole => {
    if (!place.has(letter)) return result.includes(letter) ? "out" : "tap";
    if (!result.includes(letter)) return "in";
    return carriesNeurons(axisOf(letter)) ? "group" : "tap";
  };
  const roles = letters.map(roleOf);
  const named = (role: AxisRole): string[] => letters.filter((_, i) => roles[i] === role);
  if (named("in").length === 0) {
    call.collect.claim(constant, "normalisation");
    return [withAxes(activation, result.split("").map(axisOf))];
  }
  // The axes that are summed over become one, in the weight's own order; groups stand before it.
  const isOwn = (letter: string): boolean => letters.includes(letter);
  const others = other.split("").filter((letter) => !isOwn(letter));
  const turned = withAxes(activation, [
    others.flatMap(axisOf),
    [...named("group"), ...named("tap").filter((letter) => place.has(letter))].flatMap(axisOf),
    named("in").flatMap(axisOf),
  ]);
  const merged = mergeInputs(constant, roles);
  const hasPositions = standsAtPositions(
    other
      .split("")
      .slice(1)
      .filter((letter) => result.includes(letter))
      .map(axisOf),
  );
  const weight = { constant, ...merged, activation: turned, axis: 2, hasPositions };
  const { made, atoms, isShared } = placeStack(call, weight);
  const receiving = new Map(
    letters.flatMap((letter, i) => {
      const own = roles[i] === "out" || roles[i] === "group";
      return own ? [[letter, atoms[merged.axisOf(i)]!] as const] : [];
    }),
  );
  return [
    withAxes(
      made,
      result.split("").map((letter): Axis => {
        const atom = receiving.get(letter);
        if (atom) return [atom];
        return isShared ? axisOf(letter) : uncarried(axisOf(letter));
      }),
    ),
  ];
}

/** Input axes that stand side by side as one, so that positions behind a neuron are taps; others stay apart. */
function mergeInputs({ shape }: Constant, roles: readonly AxisRole[]) {
  const first = roles.indexOf("in");
  const last = roles.lastIndexOf("in");
  if (roles.slice(first, last).some((role) => role !== "in")) {
    return { split: shape, roles, axisOf: (i: number) => i };
  }
  const size = shape.slice(first, last + 1).reduce((a, b) => a * b, 1);
  return {
    split: shape.toSpliced(first, last + 1 - first, size),
    roles: roles.toSpliced(first, last + 1 - first, "in" as const),
    axisOf: (i: number) => (i > last ? i - (last - first) : i),
  };
}

/** The value is the operand whose neurons all reach the result: the right one of two, unless it scales the other. */
function ofActivations(call: Call, { operands, result }: Terms): Activation {
  const [left, right] = [activationAt(call, 0), activationAt(call, 1)];
  const axesOf = ({ axes }: Activation, term: string): Map<string, Axis> =>
    new Map(term.split("").map((letter, i) => [letter, axes?.[i] ?? freshAxis(null)] as const));
  const all = [axesOf(left, operands[0]), axesOf(right, operands[1])] as const;
  const reaches = (activation: Activation, i: number): boolean =>
    activation.ids !== null &&
    [...all[i as 0 | 1]].every(
      ([letter, axis]) => !carriesNeurons(axis) || result.includes(letter),
    );
  const keepsLeft = reaches(left, 0);
  const keepsRight = reaches(right, 1) && !(keepsLeft && right.isGate === true);
  const factor = (activation: Activation, own: 0 | 1, isKept: boolean): Factor => {
    const both = operands[own].split("").filter((letter) => operands[1 - own]!.includes(letter));
    const axesAt = (isIn: boolean): Axis[] =>
      both.filter((letter) => result.includes(letter) === isIn).map((one) => all[own].get(one)!);
    const standsLast = !operands[1 - own]!.includes(result.at(-1) ?? ",");
    return { activation, shared: axesAt(true), summed: axesAt(false), isKept, standsLast };
  };
  tellProduct(
    call.collect,
    factor(left, 0, keepsLeft && !keepsRight),
    factor(right, 1, keepsRight),
  );
  const at = keepsRight ? 1 : 0;
  const value = keepsRight ? right : left;
  const axes = result
    .split("")
    .map(
      (letter) =>
        all[at].get(letter) ?? uncarried(all[at === 1 ? 0 : 1].get(letter) ?? freshAxis(null)),
    );
  if (keepsRight || keepsLeft) return withAxes({ ...value, open: null }, axes);
  const isUnknown = left.ids === null && right.ids === null;
  return {
    ...unknownActivation,
    axes: axes.map(uncarried),
    open: isUnknown ? (left.open ?? right.open) : null,
  };
}
