/** Flags that several commands share, and parsers that answer bad values with a usage error. */
import { UsageError } from "../src/index.ts";

export const jsonFlag = {
  kind: "boolean",
  brief: "Print one JSON document instead of text",
  default: false,
} as const;

export const seedFlag: {
  readonly kind: "parsed";
  readonly parse: (text: string) => number;
  readonly brief: string;
  readonly default: string;
} = {
  kind: "parsed",
  parse: wholeNumber,
  brief: "Seed of every random draw",
  default: "0",
};

export const forceFlag = {
  kind: "boolean",
  brief: "Overwrite an existing output file",
  default: false,
} as const;

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < 0) {
    throw new UsageError(
      "USAGE_INVALID_OPTION",
      `${JSON.stringify(text)} is not a whole number >= 0`,
    );
  }
  return value;
}

export function finiteNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) {
    throw new UsageError("USAGE_INVALID_OPTION", `${JSON.stringify(text)} is not a number`);
  }
  return value;
}

/** `a,b,c` */
export function list(text: string): readonly string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
