import { UsageError } from "../errors.ts";

/** For callers without types. @throws {UsageError} `USAGE_INVALID_OPTION` unless `value` is absent or one of `choices`. */
export function checkChoice(
  name: string,
  value: string | undefined,
  choices: readonly string[],
): void {
  if (value === undefined || choices.includes(value)) return;
  throw new UsageError(
    "USAGE_INVALID_OPTION",
    `${name} must be ${choices.join(" or ")}, not ${value}`,
    { path: [name] },
  );
}
