/** A measure as data: what command-line flags, forms and documentation are made from, and how it is run. */
import { UsageError } from "../errors.ts";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import { coveredValues, nullable, type NodeValues } from "./nodeValues.ts";
import { refusal, requireNumber, requireOneOf, type NumberDomain } from "./options.ts";
import { summarise, type Summary } from "./summarise.ts";

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

interface Described {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly parameters: readonly MeasureParameter[];
  /** True for what `analyze` leaves out unless it is named: slow, or of interest to few. @defaultValue false */
  readonly onRequest?: boolean;
  /** True for what sums over the weights of each neuron suffice for, so that a model can be streamed. @defaultValue false */
  readonly fromSums?: boolean;
  /** True where every tap of a kernel counts: the graph has to keep them (`keep: "taps"`). @defaultValue false */
  readonly needsTaps?: boolean;
}

/** A number per neuron. */
export interface Measure extends Described {
  readonly of: "nodes";
  /** Takes only parameters of the table; absent ones have their default. @throws {WeightGraphError} */
  readonly run: (graph: LayeredGraph, parameters?: ParameterValues) => MeasureResult;
}

/** Figures of one block; null where a figure has no value for it. */
export type BlockFigures = Readonly<Record<string, number | null>>;

export interface BlockMeasureResult {
  /** The parameters, and numbers of the graph as a whole. */
  readonly summary: { readonly parameters: ParameterValues; readonly [field: string]: unknown };
  /** In order of `graph.blocks`. */
  readonly blocks: readonly BlockFigures[];
}

/** Some numbers per block. */
export interface BlockMeasure extends Described {
  readonly of: "blocks";
  /** The figures that it gives, in order. */
  readonly outputs: readonly { readonly name: string; readonly description: string }[];
  /** Takes only parameters of the table; absent ones have their default. @throws {WeightGraphError} */
  readonly run: (graph: LayeredGraph, parameters?: ParameterValues) => BlockMeasureResult;
}

/** What the description of a measure of neurons is written as. */
interface NodeMeasureEntry<Options, Result extends NodeValues> extends Described {
  /** Takes the parameters of the table by the same names. */
  readonly compute: (graph: LayeredGraph, options: Options) => Result;
  /** Numbers of the graph as a whole, for the summary. */
  readonly facts?: (result: Result) => Readonly<Record<string, unknown>>;
}

/** A function over the nodes of a graph, as a measure. */
export function nodeMeasure<Options, Result extends NodeValues>({
  compute,
  facts,
  ...described
}: NodeMeasureEntry<Options, Result>): Measure {
  return {
    ...described,
    of: "nodes",
    run(graph, given = {}) {
      const parameters = resolveParameters(described.parameters, given);
      const result = compute(graph, parameters as Options);
      const values = coveredValues(result);
      const summary = values.length === 0 ? null : summarise(values);
      let nodes: readonly (number | null)[] | null = null;
      return {
        summary: { parameters, ...facts?.(result), summary },
        // Made when first asked for: a summary does without.
        get nodes() {
          return (nodes ??= nullable(result));
        },
      };
    },
  };
}

/** What the description of a measure of blocks is written as. */
interface BlockMeasureEntry<Options> extends Described {
  readonly outputs: BlockMeasure["outputs"];
  /** The figures of each block, in order; with `facts` of the graph as a whole. */
  readonly compute: (
    graph: LayeredGraph,
    options: Options,
  ) => {
    readonly blocks: readonly BlockFigures[];
    readonly facts?: Readonly<Record<string, unknown>>;
  };
}

/** A function over the blocks of a graph, as a measure. */
export function blockMeasure<Options>({
  compute,
  ...described
}: BlockMeasureEntry<Options>): BlockMeasure {
  return {
    ...described,
    of: "blocks",
    run(graph, given = {}) {
      const parameters = resolveParameters(described.parameters, given);
      const { blocks, facts } = compute(graph, parameters as Options);
      return { summary: { parameters, ...facts }, blocks };
    },
  };
}

/**
 * `given`, checked against the table, with defaults for what is absent.
 * @throws {UsageError} `USAGE_INVALID_OPTION` for an unknown name or a value that the parameter does not take.
 */
function resolveParameters(
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
