/** A measure as data: what command-line flags, forms and documentation are made from, and how it is run. */
import { UsageError } from "../errors.ts";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import { refusal, requireNumber, requireOneOf, type NumberDomain } from "./options.ts";
import type { Summary } from "./summarise.ts";

interface ParameterBase {
  /** In camelCase; also the name of the flag. */
  readonly name: string;
  readonly description: string;
}

export type MeasureParameter = ParameterBase &
  (
    | { readonly kind: "choice"; readonly choices: readonly string[]; readonly default: string }
    | { readonly kind: "boolean"; readonly default: boolean }
    | (NumberDomain & {
        readonly kind: "number";
        /** Null: the parameter is off unless given. */
        readonly default: number | null;
      })
  );

export type ParameterValue = string | number | boolean | null;
export type ParameterValues = Readonly<Record<string, ParameterValue>>;

/** What a measure says about the graph as a whole, ready for JSON: its parameters, its own numbers, a summary of its values. */
export interface MeasureSummary {
  readonly parameters: ParameterValues;
  /** Over the covered nodes; null when there are none. */
  readonly summary: Summary | null;
  readonly [field: string]: unknown;
}

export interface MeasureResult {
  readonly summary: MeasureSummary;
  /** In node order; null where the measure has no value. */
  readonly nodes: readonly (number | null)[];
}

export interface Measure {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly parameters: readonly MeasureParameter[];
  /** Takes only parameters of the table; absent ones have their default. @throws {WeightGraphError} */
  readonly run: (graph: LayeredGraph, parameters?: ParameterValues) => MeasureResult;
}

/**
 * `given`, checked against the table, with defaults for what is absent.
 * @throws {UsageError} `USAGE_INVALID_OPTION` for an unknown name or a value that the parameter does not take.
 */
export function resolveParameters(
  parameters: readonly MeasureParameter[],
  given: ParameterValues,
): ParameterValues {
  for (const name of Object.keys(given)) {
    if (!parameters.some((parameter) => parameter.name === name)) {
      const known = parameters.map((parameter) => parameter.name).join(", ");
      throw new UsageError("USAGE_INVALID_OPTION", `no parameter is named ${name}`, {
        path: [name],
        hint: known === "" ? "The measure has no parameters." : `Parameters: ${known}.`,
      });
    }
  }
  return Object.fromEntries(
    parameters.map((parameter) => {
      const value = given[parameter.name];
      if (value === undefined) return [parameter.name, parameter.default];
      check(parameter, value);
      return [parameter.name, value];
    }),
  );
}

function check(parameter: MeasureParameter, value: ParameterValue): void {
  switch (parameter.kind) {
    case "choice":
      requireOneOf(parameter.name, value, parameter.choices);
      break;
    case "boolean":
      if (typeof value !== "boolean") throw refusal(parameter.name, value, "true or false");
      break;
    case "number":
      if (value === null && parameter.default === null) return;
      requireNumber(parameter.name, value, parameter);
      break;
  }
}
