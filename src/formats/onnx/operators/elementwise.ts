/** Operators that leave every element where it is. */
import type { TensorRole } from "../../../model/model.ts";
import { elementCount } from "../../../tensor/shape.ts";
import {
  axisSize,
  carriesNeurons,
  featuresOf,
  shapeless,
  uncarried,
  unknownActivation,
  type Activation,
  type Axis,
} from "../activation.ts";
import type { Constant } from "../constant.ts";
import {
  activationAt,
  asActivation,
  claimInputs,
  knownIntegersAt,
  storedIn,
  type Call,
  type Operator,
} from "../operator.ts";
import { extentOf, standAlike, uniteNeurons } from "../unite.ts";

/** The first input's shape and neurons; further inputs are limits, seeds and the like. */
export function pass(call: Call): readonly Activation[] {
  claimInputs(call, 1, "constant");
  return [withoutIntegers(activationAt(call, 0))];
}

/** Like `pass`; its output scales what it is multiplied with. */
export function gate(call: Call): readonly Activation[] {
  return pass(call).map((activation) => ({ ...activation, isGate: true }));
}

/** A normalisation, or a slope per channel: its further inputs are parameters of single neurons. */
export function normalise(call: Call): readonly Activation[] {
  claimInputs(call, 1, "normalisation");
  return [withoutIntegers(activationAt(call, 0))];
}

/** What is not worked out as a shape any more. */
function withoutIntegers(activation: Activation): Activation {
  const { integers: _, ...rest } = activation;
  return rest;
}

/** Sums: what is added is one neuron; a constant is a bias. */
export const sum: Operator = (call) => elementwise(call, "sum", "bias");
/** Products and quotients: one factor is the signal, the others scale it; a constant normalises. */
export const product: Operator = (call) => elementwise(call, "select", "normalisation");
/** The larger, the smaller, or one of two: whichever it is, it is one neuron. */
export const merge: Operator = (call) => elementwise(call, "sum", "constant");

/** Bounds; between 0 and 1 it scales what it is multiplied with. */
export const clip: Operator = async (call) => {
  const bound = (await knownIntegersAt(call, 2))?.[0] ?? call.node.float("max", Infinity);
  return bound <= 1 ? gate(call) : pass(call);
};

/** Comparisons, limits, powers. */
export const compare: Operator = (call) => elementwise(call, "select", "constant");

function elementwise(
  call: Call,
  how: Meeting,
  role: "bias" | "normalisation" | "constant",
): readonly Activation[] {
  for (const value of call.inputs) {
    const stored = storedIn(value);
    if (stored === null) continue;
    call.collect.claim(stored, roleOf(stored, role));
  }
  const operands = call.inputs.filter((value) => value !== undefined).map(asActivation);
  return [combine(call, operands, how)];
}

/** A factor of three axes or more is no normalisation: a kernel, it may be, that the network scales before it is used. */
function roleOf({ shape }: Constant, role: TensorRole): TensorRole {
  if (elementCount(shape) <= 1) return "constant";
  const long = shape.filter((size) => size > 1).length;
  return role === "normalisation" && long > 2 ? "unknown" : role;
}

/** How operands meet: all of them are one neuron, or one is the signal and the others scale or bound it. */
export type Meeting = "sum" | "select";

/** Broadcasts `operands`; the result carries the neurons of the main one, with which a sum unites the others'. */
export function combine(
  { collect }: Call,
  operands: readonly Activation[],
  how: Meeting,
): Activation {
  const [first] = operands;
  if (first === undefined) return unknownActivation;
  const main = mainOf(operands) ?? first;
  if (how === "sum" && main.ids !== null) {
    for (const other of operands) {
      if (other !== main) unite(collect, main, other);
    }
  }
  const { ids, open, isGate } = main;
  const axes = broadcast([main, ...operands.filter((own) => own !== main)]);
  if (axes === null) return shapeless(main);
  return { kind: "activation", axes, ids, open, ...(isGate && { isGate }) };
}

/** The operand whose neurons the result has: no gate where there is a choice, then the one that stands at most places. */
function mainOf(operands: readonly Activation[]): Activation | undefined {
  const known = operands.filter((own) => own.ids !== null);
  const signals = known.filter((own) => own.isGate !== true);
  const among = signals.length > 0 ? signals : known;
  if (among.length === 0) return operands.find((own) => own.open !== null);
  return among.reduce((main, own) => (extentOf(own) > extentOf(main) ? own : main));
}

/** A residual sum: the neurons of `other` are those of `main`, where both say which stands where. */
function unite(collect: Call["collect"], main: Activation, other: Activation): void {
  if (main.axes === null || main.ids === null || other.axes === null) return;
  if (other.ids !== null) {
    if (standAlike(main, other)) uniteNeurons(collect, main.ids, other.ids);
    return;
  }
  if (other.open === null) return;
  const own = main.axes.findIndex(carriesNeurons);
  const place = other.axes.length - (main.axes.length - own);
  const theirs = other.axes[place];
  if (own < 0 || theirs === undefined) return;
  const size = axisSize(theirs) ?? axisSize(main.axes[own]!);
  const features = size === null ? null : featuresOf(main, own, size);
  if (features === null || size === null || new Set(features).size !== size) return;
  collect.merge(features, collect.senders(other, place, size, ""));
}

/** Axes aligned at the end; where several have a say, the first operand's neurons, then any known size. */
function broadcast(operands: readonly Activation[]): Axis[] | null {
  const all = operands.map((own) => own.axes);
  const known = all.filter((axes) => axes !== null);
  if (known.length === 0 || all[0] === null) return null;
  const rank = Math.max(...known.map((axes) => axes.length));
  return Array.from({ length: rank }, (_, i) => {
    const candidates = known.map((axes) => axes[axes.length - rank + i] ?? []);
    const [main, ...others] = candidates;
    if (all[0] && carriesNeurons(main)) return main!;
    const long = [main!, ...others.map(uncarried)].filter((axis) => axis.length > 0);
    return long.find((axis) => axisSize(axis) !== null) ?? long[0] ?? [];
  });
}
