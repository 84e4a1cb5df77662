/** Core numbers by the bulk peel: every node of degree at or below the level leaves at once, over all blocks. */
import type { LayeredGraph } from "../../graph/layeredGraph.ts";
import type { NodeValues } from "../nodeValues.ts";
import { bulkPeel, type Leaving } from "./bulkPeel.ts";
import { degreesOf, freshDegree } from "./degreesOf.ts";
import { hasRepeats, piecesOf, placesOf, withoutParallels } from "./pieces.ts";

/**
 * Null for graphs that the plain way does as well: those of few edges or with an edge from a node to itself.
 * @throws {AnalysisError} `ANALYSIS_UNDEFINED`
 */
export function bulkCores(
  graph: LayeredGraph,
  unweighted: boolean,
  leastEdges: number = 2 ** 12,
): NodeValues | null {
  const { nodeCount } = graph;
  if (graph.edgeCount < leastEdges) return null;
  const whole = piecesOf(graph, "norm", { sign: "absolute", counted: unweighted });
  const places = placesOf(whole, nodeCount);
  if (hasRepeats(places)) return null;
  const pieces = unweighted ? withoutParallels(whole, places) : whole;

  const { start, piece, position } = places;
  const covered = new Uint8Array(nodeCount);
  for (let node = 0; node < nodeCount; node++)
    covered[node] = start[node + 1]! > start[node]! ? 1 : 0;
  const request = {
    graph,
    pieces,
    places,
    covered,
    side: "both",
    measure: "weighted degree",
  } as const;
  const { memory, losses } = degreesOf(request);
  const { degrees } = memory;

  const drop = (node: number): void => {
    for (let i = start[node]!; i < start[node + 1]!; i++) {
      const { left } = losses[piece[i]!]!;
      if (position[i]! >= 0) left.rows--;
      else left.columns--;
    }
  };
  const follow = (nodes: readonly number[], leaving: Leaving): void => {
    for (const node of nodes) {
      drop(node);
      for (let i = start[node]!; i < start[node + 1]!; i++) {
        const at = position[i]!;
        if (at >= 0) leaving.row(piece[i]!, at);
        else leaving.column(piece[i]!, -1 - at);
      }
    }
  };
  const isThere = (other: number): boolean => degrees[other]! < Infinity;
  const fresh = (node: number): number =>
    freshDegree(node, { pieces, places }, { row: isThere, column: isThere });
  return {
    values: bulkPeel({ memory, pieces, losses, covered, follow, ahead: { places, drop }, fresh }),
    covered,
  };
}
