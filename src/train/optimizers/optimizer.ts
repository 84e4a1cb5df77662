import { UsageError } from "../../errors.ts";
import type { Scope, Tensor } from "../ir.ts";

export type OptimizerOptions = Readonly<Record<string, number>>;

/** A registered part: how a gradient moves a parameter. */
export interface Optimizer {
  readonly name: string;
  /** Every option with its default; members of a population may differ in each. Switches are 0 or 1. */
  readonly defaults: OptimizerOptions;
  /** What it keeps of each parameter from step to step, in the parameter's shape; zero at first. */
  readonly memories: readonly string[];
  /** How many numbers a member's step takes. */
  readonly columns: number;
  /** Fills `row` [columns] for the given step; the first step is 1. */
  fillSettings(row: Float64Array, options: OptimizerOptions, step: number): void;
  /** @throws {UsageError} `USAGE_INVALID_OPTION` for values that make no sense together. */
  check(options: OptimizerOptions): void;
  /** Writes the update of one parameter in place; `settings` is [P, columns]. */
  update(scope: Scope, given: OptimizerUpdate): void;
}

export interface OptimizerUpdate {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  /** In the order of `memories`. */
  readonly memories: readonly Tensor[];
  readonly settings: Tensor;
}

/** `options` over the defaults. @throws {UsageError} `USAGE_INVALID_OPTION` for an unknown or unsound option. */
export function completeOptions(
  optimizer: Optimizer,
  options: Readonly<Record<string, number | undefined>>,
): OptimizerOptions {
  const complete: Record<string, number> = { ...optimizer.defaults };
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(optimizer.defaults, name)) {
      throw new UsageError("USAGE_INVALID_OPTION", `${optimizer.name} takes no ${name}`, {
        hint: `It takes ${Object.keys(optimizer.defaults).join(", ")}.`,
      });
    }
    complete[name] = value;
  }
  for (const [name, value] of Object.entries(complete)) {
    requireOption(Number.isFinite(value) && value >= 0, `${name} must be a number >= 0`);
  }
  optimizer.check(complete);
  return complete;
}

/** @throws {UsageError} `USAGE_INVALID_OPTION` with `message`, unless `holds`. */
export function requireOption(holds: boolean, message: string): void {
  if (!holds) throw new UsageError("USAGE_INVALID_OPTION", message);
}
