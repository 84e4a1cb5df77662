/** Flags that several commands share, and parsers that answer bad values with a usage error. */
import { availableParallelism } from "node:os";
import type {
  CommandContext,
  FlagParametersForType,
  TypedPositionalParameters,
} from "@stricli/core";
import { UsageError, type SignatureOptions } from "../src/index.ts";

export const jsonFlag = {
  kind: "boolean",
  brief: "Print one JSON document instead of text",
  default: false,
} as const;

/** How a signature over epochs is made. */
export interface SignatureFlags extends Required<Pick<SignatureOptions, "scope" | "normalise">> {
  readonly measures: readonly string[];
}

export const signatureFlags: FlagParametersForType<SignatureFlags> = {
  measures: {
    kind: "parsed",
    parse: list,
    brief: "Which measures, separated by commas",
    default: "degree,eigenvector",
    placeholder: "a,b",
  },
  scope: {
    kind: "enum",
    values: ["graph", "layer"],
    brief: "One summary over all neurons, or one per layer",
    default: "graph",
  },
  normalise: {
    kind: "enum",
    values: ["none", "mean", "max"],
    brief: "Divide by the mean or the largest value first, to compare widths",
    default: "none",
  },
};

/** The one argument of most commands. */
export const modelFile: TypedPositionalParameters<[string], CommandContext> = {
  kind: "tuple",
  parameters: [{ brief: "Model file", parse: String, placeholder: "FILE" }],
};

/** Input that is no model file. */
export const formatFlag = {
  kind: "enum",
  values: ["matrix"],
  brief: "Read the input as a JSON matrix instead of a model file",
  optional: true,
} as const;

/** More threads than this gain nothing: memory is the limit. */
const mostThreads = 16;

/** The answers are the same for any number. */
export const threadsFlag: {
  readonly kind: "parsed";
  readonly parse: (text: string) => number;
  readonly brief: string;
  readonly default: string;
} = {
  kind: "parsed",
  parse: (text) => Math.max(1, Math.min(mostThreads, wholeNumber(text))),
  brief: "Threads for large blocks; the answers are the same for any number",
  default: String(Math.min(mostThreads, availableParallelism())),
};

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

export const layersFlag: {
  readonly kind: "parsed";
  readonly parse: (text: string) => readonly string[];
  readonly brief: string;
  readonly placeholder: string;
  readonly optional: true;
} = {
  kind: "parsed",
  parse: list,
  brief: "Only these layers, separated by commas (default: every dense and convolutional one)",
  placeholder: "a,b",
  optional: true,
};

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

/** `momentum=0.9,nesterov=1` */
export function keyedNumbers(text: string): Readonly<Record<string, number>> {
  return Object.fromEntries(
    list(text).map((part) => {
      const [name = "", value = ""] = part.split("=");
      return [name.trim(), finiteNumber(value)];
    }),
  );
}
