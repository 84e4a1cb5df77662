/** Checks of options, the same for a direct call as for a value that came through the registry. */
import { UsageError } from "../errors.ts";

export interface NumberDomain {
  readonly min: number;
  readonly max: number;
  readonly integer: boolean;
}

/** @throws {UsageError} `USAGE_INVALID_OPTION` unless `value` is one of `choices`. */
export function requireOneOf(name: string, value: unknown, choices: readonly string[]): void {
  if (typeof value !== "string" || !choices.includes(value)) {
    throw refusal(name, value, choices.join(", "));
  }
}

/** @throws {UsageError} `USAGE_INVALID_OPTION` unless `value` is a number of the domain; NaN never is. */
export function requireNumber(name: string, value: unknown, domain: NumberDomain): void {
  const { min, max, integer } = domain;
  const fits =
    typeof value === "number" &&
    value >= min &&
    value <= max &&
    (!integer || Number.isSafeInteger(value));
  if (fits) return;
  const kind = integer ? "a whole number" : "a number";
  const range = max === Number.MAX_SAFE_INTEGER ? `>= ${min}` : `from ${min} to ${max}`;
  throw refusal(name, value, `${kind} ${range}`);
}

/** The error for a value that an option does not take. */
export function refusal(name: string, value: unknown, want: string): UsageError {
  return new UsageError("USAGE_INVALID_OPTION", `${name} must be ${want}, not ${String(value)}`, {
    path: [name],
  });
}
