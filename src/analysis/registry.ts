/** Every measure, described as data. A new measure is one file and one entry here. */
import { UsageError } from "../errors.ts";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import { coreNumber } from "./coreNumber.ts";
import { eigenvectorCentrality } from "./eigenvectorCentrality.ts";
import { hypercoreNumber } from "./hypercoreNumber.ts";
import { resolveParameters, type Measure } from "./measure.ts";
import { nodeStrength } from "./nodeStrength.ts";
import { coveredValues, nullable, type NodeValues } from "./nodeValues.ts";
import { summarise } from "./summarise.ts";
import { weightedDegree } from "./weightedDegree.ts";

export const measures: readonly Measure[] = [
  measure({
    id: "strength",
    title: "Node strength",
    description: "Sum of a neuron's weights.",
    parameters: [
      {
        name: "sign",
        kind: "choice",
        choices: ["signed", "absolute", "positive", "negative"],
        default: "signed",
        description: "Which part of each weight is summed; negative is the magnitude of that part.",
      },
      {
        name: "direction",
        kind: "choice",
        choices: ["in", "out", "both"],
        default: "both",
        description: "Weights that the neuron receives, sends, or both.",
      },
    ],
    compute: nodeStrength,
  }),
  measure({
    id: "degree",
    title: "Weighted degree",
    description: "Sum of a neuron's edge weights, an edge weight being the norm of its taps.",
    parameters: [],
    compute: weightedDegree,
  }),
  measure({
    id: "eigenvector",
    title: "Eigenvector centrality",
    description: "Perron vector of the edge weights, unit L2 norm in each connected component.",
    parameters: [
      {
        name: "tolerance",
        kind: "number",
        integer: false,
        min: 0,
        max: 1,
        default: 1e-9,
        description: "Largest residual, relative to the eigenvalue, that is accepted.",
      },
      {
        name: "maxIterations",
        kind: "number",
        integer: true,
        min: 1,
        max: Number.MAX_SAFE_INTEGER,
        default: 2000,
        description: "Most Lanczos steps, each a product with the matrix, per component.",
      },
    ],
    compute: eigenvectorCentrality,
    facts: ({ eigenvalue, residual, iterations, components }) => ({
      eigenvalue,
      residual,
      iterations,
      components,
    }),
  }),
  measure({
    id: "core",
    title: "Core number",
    description: "Deepest core of weighted degree that holds the neuron.",
    parameters: [
      {
        name: "unweighted",
        kind: "boolean",
        default: false,
        description: "Count neighbours instead of adding weights.",
      },
    ],
    compute: coreNumber,
  }),
  measure({
    id: "hypercore",
    title: "Hypercore number",
    description: "Deepest (k, l)-hypercore that holds the neuron.",
    parameters: [
      {
        name: "l",
        kind: "number",
        integer: true,
        min: 1,
        max: Number.MAX_SAFE_INTEGER,
        default: 2,
        description: "Least number of vertices in a living hyperedge.",
      },
      {
        name: "t",
        kind: "number",
        integer: false,
        min: 0,
        max: 1,
        default: null,
        description: "Least fraction of its initial vertices in a living hyperedge.",
      },
      {
        name: "sign",
        kind: "choice",
        choices: ["absolute", "positive", "negative"],
        default: "absolute",
        description: "Which weights connect.",
      },
      {
        name: "unweighted",
        kind: "boolean",
        default: false,
        description: "Count hyperedges instead of adding weights.",
      },
      {
        name: "side",
        kind: "choice",
        choices: ["in", "out"],
        default: "in",
        description: "Vertices: the sending neurons of each block, or the receiving ones.",
      },
    ],
    compute: hypercoreNumber,
  }),
];

/** The measure named `id`. @throws {UsageError} `USAGE_UNKNOWN_MEASURE` */
export function measureById(id: string): Measure {
  const found = measures.find((candidate) => candidate.id === id);
  if (found === undefined) {
    throw new UsageError("USAGE_UNKNOWN_MEASURE", `no measure is named ${JSON.stringify(id)}`, {
      hint: `Measures: ${measures.map((candidate) => candidate.id).join(", ")}.`,
    });
  }
  return found;
}

/** What an entry of the table is written as. */
interface Entry<Options, Result extends NodeValues> extends Omit<Measure, "run"> {
  /** Takes the parameters of the table by the same names. */
  readonly compute: (graph: LayeredGraph, options: Options) => Result;
  /** Numbers of the graph as a whole, for the summary. */
  readonly facts?: (result: Result) => Readonly<Record<string, unknown>>;
}

function measure<Options, Result extends NodeValues>({
  compute,
  facts,
  ...described
}: Entry<Options, Result>): Measure {
  return {
    ...described,
    run(graph, given = {}) {
      const parameters = resolveParameters(described.parameters, given);
      const result = compute(graph, parameters as Options);
      const values = coveredValues(result);
      const summary = values.length === 0 ? null : summarise(values);
      return { summary: { parameters, ...facts?.(result), summary }, nodes: nullable(result) };
    },
  };
}
