/** Core numbers by the bulk peel: every node of degree at or below the level leaves at once, over all blocks. */
import type { LayeredGraph } from "../../graph/layeredGraph.ts";
import { arenaOf } from "../../kernels/weightArena.ts";
import { checkRange, type NodeValues } from "../nodeValues.ts";
import { bulkPeel, type Leaving } from "./bulkPeel.ts";
import { lossesOf, partOf } from "./losses.ts";
import { peelMemory } from "./memory.ts";
import { hasParallels, hasRepeats, piecesOf, placesOf } from "./pieces.ts";

/**
 * Null for graphs that the plain way does as well: those of few edges, with an edge from a node to itself, or, when neighbours
 * are counted, with parallel edges. @throws {AnalysisError} `ANALYSIS_UNDEFINED`
 */
export function bulkCores(
  graph: LayeredGraph,
  unweighted: boolean,
  leastEdges: number = 2 ** 12,
): NodeValues | null {
  const { nodeCount, blocks } = graph;
  if (graph.edgeCount < leastEdges) return null;
  const pieces = piecesOf(graph, "norm", { sign: "absolute", counted: unweighted });
  const places = placesOf(pieces, nodeCount);
  if (hasRepeats(places) || (unweighted && hasParallels(pieces, places))) return null;

  const arena = blocks.map(({ weights }) => arenaOf(weights)).find((found) => found !== null);
  const memory = peelMemory(nodeCount, arena ?? null);
  const { degrees } = memory;
  const { start, piece, position } = places;
  const covered = Uint8Array.from({ length: nodeCount }, (_, n) =>
    start[n + 1]! > start[n]! ? 1 : 0,
  );
  covered.forEach((isCovered, node) => {
    if (isCovered === 1) degrees[node] = 0;
  });
  const losses = pieces.map((own) => lossesOf(own, memory));
  pieces.forEach(({ rowNodes, columnNodes }, i) => {
    const { rows, columns } = losses[i]!.sums();
    rowNodes.forEach((node, row) => (degrees[node]! += rows[row]!));
    columnNodes.forEach((node, column) => (degrees[node]! += columns[column]!));
  });
  checkRange(
    degrees.subarray(0, nodeCount).map((degree, node) => (covered[node] === 1 ? degree : 0)),
    "weighted degree",
  );

  const follow = (nodes: readonly number[], leaving: Leaving): void => {
    for (const node of nodes) {
      for (let i = start[node]!; i < start[node + 1]!; i++) {
        const own = piece[i]!;
        const at = position[i]!;
        if (at >= 0) {
          losses[own]!.left.rows--;
          leaving.row(own, at);
        } else {
          losses[own]!.left.columns--;
          leaving.column(own, -1 - at);
        }
      }
    }
  };
  const fresh = (node: number): number => {
    let sum = 0;
    for (let i = start[node]!; i < start[node + 1]!; i++) {
      const own = pieces[piece[i]!]!;
      const { weights, rowNodes, columnNodes } = own;
      const part = partOf(own);
      const width = columnNodes.length;
      const at = position[i]!;
      const [others, from, step] =
        at >= 0 ? [columnNodes, at * width, 1] : [rowNodes, -1 - at, width];
      others.forEach((other, j) => {
        if (degrees[other]! < Infinity) sum += part(weights[from + j * step]!);
      });
    }
    return sum;
  };
  return { values: bulkPeel({ memory, pieces, losses, covered, follow, fresh }), covered };
}
