/** Flags of every command that measures or shows a graph: what stands for an edge, and what is done to it. */
import type { FlagParametersForType } from "@stricli/core";
import {
  graphTransforms,
  transformGraph,
  weighEdges,
  type EdgeWeight,
  type LayeredGraph,
} from "../src/index.ts";
import { list } from "./flags.ts";

export interface GraphFlags {
  readonly edgeWeight: EdgeWeight;
  readonly transform?: readonly string[];
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
};

/** @throws {UsageError} `USAGE_INVALID_OPTION` {GraphError} `GRAPH_WEIGHT_RANGE` */
export function withGraphFlags(
  graph: LayeredGraph,
  { edgeWeight, transform = [] }: GraphFlags,
): LayeredGraph {
  return transformGraph(weighEdges(graph, edgeWeight), transform);
}
