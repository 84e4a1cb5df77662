import { UsageError } from "../../errors.ts";
import type { Shape } from "../../tensor/shape.ts";
import type { Scope, Tensor } from "../ir.ts";

/** One tensor that training changes, as one member of a population holds it. */
export interface ParameterPlan {
  /** Within its layer: `weight`. Within a network the layer's name stands before it: `0.weight`. */
  readonly name: string;
  readonly role: "weight" | "bias";
  /** Weights are [out, in, …kernel]. */
  readonly shape: Shape;
  /** Connections into a receiving neuron, kernel area included. */
  readonly fanIn: number;
  /** Connections out of a sending neuron, kernel area included. */
  readonly fanOut: number;
}

/** A layer that has been told what it will be given. */
export interface LayerPlan {
  /** Of one sample: [C, H, W] or [features]. */
  readonly outputShape: Shape;
  readonly parameters: readonly ParameterPlan[];
  /** Writes the layer's operations; `parameters` in the order of the plan, each [P, …shape]. */
  apply(scope: Scope, x: Tensor, parameters: readonly Tensor[]): Tensor;
}

export type LayerOptions = Readonly<
  Record<string, string | number | readonly number[] | undefined>
>;

/** A registered part: how a layer of a network is written as operations. */
export interface Layer {
  readonly name: string;
  /**
   * `inputShape` is that of one sample.
   * @throws {UsageError} `USAGE_INVALID_OPTION`. @throws {ShapeError} `SHAPE_MISMATCH`.
   */
  plan(inputShape: Shape, options: LayerOptions): LayerPlan;
}

/** A whole-number option. @throws {UsageError} `USAGE_INVALID_OPTION` unless it is a whole number >= `least`. */
export function wholeOption(
  options: LayerOptions,
  name: string,
  { least, fallback }: { readonly least: number; readonly fallback?: number },
): number {
  const value = options[name] ?? fallback;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least) {
    const seen = value === undefined ? "missing" : JSON.stringify(value);
    throw new UsageError("USAGE_INVALID_OPTION", `${name} must be a whole number, it is ${seen}`);
  }
  return value;
}

/** An option for both axes of an image, as one number or two. @throws {UsageError} `USAGE_INVALID_OPTION` */
export function pairOption(
  options: LayerOptions,
  name: string,
  bounds: { readonly least: number; readonly fallback?: number },
): readonly [number, number] {
  const value = options[name];
  const each = typeof value === "object" ? value : [value, value];
  if (each.length !== 2) {
    throw new UsageError("USAGE_INVALID_OPTION", `${name} takes one number or two`);
  }
  const [vertical, horizontal] = each.map((one) => wholeOption({ [name]: one }, name, bounds));
  return [vertical!, horizontal!];
}
