/** Flags of every command that measures or shows a graph: what stands for an edge, and what is done to it. */
import type { FlagParametersForType } from "@stricli/core";
import {
  graphTransforms,
  includeRecurrent,
  transformGraph,
  weighEdges,
  type EdgeWeight,
  type LayeredGraph,
} from "../src/index.ts";
import { list } from "./flags.ts";

export interface GraphFlags {
  readonly edgeWeight: EdgeWeight;
  readonly transform?: readonly string[];
  readonly recurrent: boolean;
  readonly biasNodes: boolean;
  readonly foldNorm: boolean;
  readonly normNodes: boolean;
  readonly heads: boolean;
}

export const graphFlags: FlagParametersForType<GraphFlags> = {
  edgeWeight: {
    kind: "enum",
    values: ["norm", "sum", "absoluteSum"],
    brief: "Weight of an edge of several taps: their L2 norm, signed sum or absolute sum",
    default: "norm",
  },
  transform: {
    kind: "parsed",
    parse: list,
    brief:
      "What to do to the edge weights, in order: " +
      Object.entries(graphTransforms)
        .map(([name, { value }]) => (value === null ? name : `${name}=${value.placeholder}`))
        .join(", "),
    placeholder: "a,b=X",
    optional: true,
  },
  recurrent: {
    kind: "boolean",
    brief: "Take recurrent weights, which join a layer to itself, as edges",
    default: false,
  },
  biasNodes: {
    kind: "boolean",
    brief: "Add a node per weight layer with a bias, joined to its neurons by the bias",
    default: false,
  },
  foldNorm: {
    kind: "boolean",
    brief: "Fold batch normalisation into the weights before it",
    default: false,
  },
  normNodes: {
    kind: "boolean",
    brief: "Add a node per neuron with a batch normalisation, between the weights and the neuron",
    default: false,
  },
  heads: {
    kind: "boolean",
    brief: "Take the weights of attention layers as a block per head",
    default: false,
  },
};

/** @throws {UsageError} `USAGE_INVALID_OPTION` {GraphError} `GRAPH_WEIGHT_RANGE` */
export function withGraphFlags(
  graph: LayeredGraph,
  {
    edgeWeight,
    transform = [],
    recurrent,
  }: Pick<GraphFlags, "edgeWeight" | "transform" | "recurrent">,
): LayeredGraph {
  const edges = recurrent ? includeRecurrent(graph) : graph;
  return transformGraph(weighEdges(edges, edgeWeight), transform);
}
