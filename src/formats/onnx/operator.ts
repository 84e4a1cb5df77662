/** What an operator is given, and helpers that many of them share. */
import { elementCount } from "../../tensor/shape.ts";
import { plainActivation, type Activation, type Size } from "./activation.ts";
import type { Collector } from "./collector.ts";
import { integersOf, type Constant } from "./constant.ts";
import type { NodeReader } from "./nodeReader.ts";
import type { Dimension } from "./schema.ts";

export type Value = Constant | Activation;

/** One node at work. */
export interface Call {
  readonly node: NodeReader;
  /** Undefined for optional inputs that are left out. */
  readonly inputs: readonly (Value | undefined)[];
  readonly collect: Collector;
  /** The nodes that read `output`, with their inputs' values where these are constants. */
  consumers(output: string): readonly Consumer[];
}

export interface Consumer {
  readonly opType: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  constant(input: string): Constant | null;
  /** The node that made `input`, if it is of the same graph. */
  producer(input: string): Consumer | null;
}

/** Answers with the node's outputs, in order; those that are left out are not known. */
export type Operator = (call: Call) => readonly Activation[] | Promise<readonly Activation[]>;

export function constantAt({ inputs }: Call, at: number): Constant | null {
  const value = inputs[at];
  return value?.kind === "constant" ? value : null;
}

/** The input as an activation; a constant counts as one without neurons. */
export function activationAt({ inputs }: Call, at: number): Activation {
  return asActivation(inputs[at]);
}

export function asActivation(value: Value | undefined): Activation {
  if (value?.kind === "activation") return value;
  if (value === undefined) return plainActivation(null);
  return { ...plainActivation(value.shape), stored: value };
}

/** Whole numbers of an input, unknown ones null; null where it is not of that kind or left out. */
export async function integersAt(call: Call, at: number): Promise<readonly Dimension[] | null> {
  const sizes = await sizesAt(call, at);
  return sizes && sizes.map((size) => (typeof size === "number" ? size : null));
}

/** The same with what is known of the unknown ones. */
export async function sizesAt({ inputs }: Call, at: number): Promise<readonly Size[] | null> {
  const value = inputs[at];
  if (value?.kind === "constant") return integersOf(value);
  return value?.integers ?? null;
}

/** Like `integersAt`, but only when every number is known. */
export async function knownIntegersAt(call: Call, at: number): Promise<readonly number[] | null> {
  const integers = await integersAt(call, at);
  return integers?.every((value) => value !== null) ? integers : null;
}

/** True for values that can be weights between neurons: two axes or more, and something in them. */
export function isWeighty(constant: Constant | null): constant is Constant {
  if (constant === null || elementCount(constant.shape) === 0) return false;
  return constant.shape.length >= 2;
}

/** The stored tensor behind a value, expanded or reshaped though it may be. */
export function storedIn(value: Value | undefined): Constant | null {
  return value?.kind === "constant" ? value : (value?.stored ?? null);
}

/** Roles of the inputs [first, end), whatever is constant among them. */
export function claimInputs(
  call: Call,
  first: number,
  role: "bias" | "normalisation" | "constant",
  end: number = call.inputs.length,
): void {
  for (const value of call.inputs.slice(first, end)) {
    const stored = storedIn(value);
    if (stored !== null) call.collect.claim(stored, role);
  }
}
