import { edgeWeights } from "./block.ts";
import { adjacencyOf } from "./adjacency.ts";
import { visitMarks } from "./visitMarks.ts";
import type { LayeredGraph } from "./layeredGraph.ts";

export interface NeighbourOptions {
  /** Only edges whose taps add up to more than zero. */
  readonly positiveOnly: boolean;
  /** Of a node: those it receives from, those it sends to, or all. */
  readonly direction: "in" | "out" | "both";
}

/** Distinct neighbours of every node, joined by an edge of non-zero weight, as compressed rows. */
export interface Neighbours {
  /** Neighbours of node n are neighbour[start[n]] … before start[n + 1], ascending. */
  readonly start: Float64Array;
  readonly neighbour: Int32Array;
  /** L2 norms of the taps; parallel edges add. */
  readonly weight: Float64Array;
  /** 1 for a node that stands in a block on the side that `direction` looks at. */
  readonly present: Uint8Array;
}

/** Cost: O(edges log neighbours), 12 bytes a neighbour. */
export function neighboursOf(
  graph: LayeredGraph,
  { positiveOnly, direction }: NeighbourOptions,
): Neighbours {
  const { nodeCount } = graph;
  const { sends, receives, forEachSender, forEachReceiver } = adjacencyOf(
    positiveOnly ? withPositiveEdges(graph) : graph,
    "norm",
  );
  const marks = visitMarks(nodeCount);
  const sums = new Float64Array(nodeCount);
  const start = new Float64Array(nodeCount + 1);
  const present = new Uint8Array(nodeCount);
  const parts: { readonly nodes: Int32Array; readonly weights: Float64Array }[] = [];
  for (let node = 0; node < nodeCount; node++) {
    const found: number[] = [];
    const visit = (other: number, weight: number): void => {
      if (marks.first(other)) {
        found.push(other);
        sums[other] = 0;
      }
      sums[other]! += weight;
    };
    marks.next();
    if (direction !== "out") forEachSender(node, visit);
    if (direction !== "in") forEachReceiver(node, visit);
    const nodes = Int32Array.from(found).sort();
    parts.push({ nodes, weights: Float64Array.from(nodes, (other) => sums[other]!) });
    start[node + 1] = start[node]! + nodes.length;
    const stands = (direction !== "out" && receives(node)) || (direction !== "in" && sends(node));
    present[node] = stands ? 1 : 0;
  }
  const neighbour = new Int32Array(start[nodeCount]!);
  const weight = new Float64Array(start[nodeCount]!);
  parts.forEach(({ nodes, weights }, node) => {
    neighbour.set(nodes, start[node]);
    weight.set(weights, start[node]);
  });
  return { start, neighbour, weight, present };
}

/** The same graph with a tap per edge, its norm, and zero where the taps do not add up to more than zero. */
function withPositiveEdges(graph: LayeredGraph): LayeredGraph {
  const blocks = graph.blocks.map((block) => {
    const sums = edgeWeights(block, "sum");
    const weights = edgeWeights(block, "norm").map((norm, edge) => (sums[edge]! > 0 ? norm : 0));
    return { ...block, weights, taps: 1 };
  });
  return { ...graph, blocks };
}
