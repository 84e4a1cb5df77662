/** Sequences and optionals: lists of activations, followed element by element where it is known which one is meant. */
import { freshAxis, unknownActivation, type Activation } from "../activation.ts";
import {
  activationAt,
  asActivation,
  claimInputs,
  knownIntegersAt,
  type Call,
  type Operator,
} from "../operator.ts";
import { lengthAlong, pickAlong } from "../pick.ts";
import { unsqueeze, dropAxis } from "../reshape.ts";
import { concatenate } from "./concat.ts";
import { split } from "./selection.ts";

/** Elements that are followed at most. */
const sequenceLimit = 4096;

function listOf(elements: readonly Activation[]): Activation {
  return { ...unknownActivation, elements };
}

export function construct(call: Call): readonly Activation[] {
  return [listOf(call.inputs.map(asActivation))];
}

/** An element put in: last, or at a place. */
export const insert: Operator = async (call) => {
  const elements = activationAt(call, 0).elements ?? [];
  const at = (await knownIntegersAt(call, 2))?.[0] ?? elements.length;
  return [listOf(elements.toSpliced(at, 0, activationAt(call, 1)))];
};

export const erase: Operator = async (call) => {
  const elements = activationAt(call, 0).elements ?? [];
  const at = (await knownIntegersAt(call, 1))?.[0] ?? -1;
  return [listOf(elements.toSpliced(at, 1))];
};

/** The element that is named; of those that are not, the first stands for all. */
export const elementAt: Operator = async (call) => {
  const { elements } = activationAt(call, 0);
  const at = (await knownIntegersAt(call, 1))?.[0] ?? 0;
  return [elements?.at(at) ?? elements?.[0] ?? unknownActivation];
};

/** Joined along an axis, or along a new one. */
export function joinElements(call: Call): readonly Activation[] {
  const { elements } = activationAt(call, 0);
  const [first] = elements ?? [];
  if (!elements || !first?.axes) return [unknownActivation];
  const isNew = call.node.int("new_axis", 0) !== 0;
  const rank = first.axes.length + (isNew ? 1 : 0);
  const axis = call.node.axis(rank, 0);
  if (!(axis >= 0 && axis < rank)) return [unknownActivation];
  const parts = isNew ? elements.map((element) => unsqueeze(element, [axis])) : elements;
  if (parts.length > 1) return [concatenate(call, parts, axis)];
  // One element may stand for as many as a loop makes.
  const [only] = parts as [Activation];
  return [isNew ? { ...only, axes: only.axes!.with(axis, freshAxis(null)) } : only];
}

/** SplitToSequence: by given lengths, or each index for itself. */
export const splitToList: Operator = async (call) => {
  claimInputs(call, 1, "constant");
  const data = activationAt(call, 0);
  const lengths = await knownIntegersAt(call, 1);
  if (call.inputs[1] === undefined || lengths === null || data.axes === null) {
    const axis = call.node.axis(data.axes?.length ?? 0, 0);
    const isDropped = call.node.int("keepdims", 1) === 0 && call.inputs[1] === undefined;
    return [listOf([isDropped ? dropAxis(data, axis) : data])];
  }
  if (isSingle(call))
    return [listOf(pieces(data, call.node.axis(data.axes.length, 0), lengths[0]!))];
  const outputs = lengths.map((_, i) => `${i}`);
  return [listOf(await split({ ...call, node: { ...call.node, outputs } }))];
};

/** One number is the length of every piece. */
function isSingle({ inputs }: Call): boolean {
  const lengths = inputs[1];
  return (lengths?.kind === "constant" ? lengths.shape : lengths?.axes)?.length === 0;
}

function pieces(data: Activation, axis: number, length: number): Activation[] {
  const size = lengthAlong(data, axis);
  if (size === null || length < 1) return [pickAlong(data, axis, null)];
  return Array.from({ length: Math.min(sequenceLimit, Math.ceil(size / length)) }, (_, i) =>
    pickAlong(data, axis, {
      count: Math.min(length, size - i * length),
      at: (k) => i * length + k,
    }),
  );
}
