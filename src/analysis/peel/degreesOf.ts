/** The degrees that a peel starts from, and how to sum one afresh. */
import type { LayeredGraph } from "../../graph/layeredGraph.ts";
import { arenaOf } from "../../kernels/weightArena.ts";
import { checkRange } from "../nodeValues.ts";
import { lossesOf, type PieceLosses } from "./losses.ts";
import { peelMemory, type PeelMemory } from "./memory.ts";
import { partOf, type Piece, type Places } from "./pieces.ts";

export interface DegreesRequest {
  readonly graph: LayeredGraph;
  readonly pieces: readonly Piece[];
  readonly places: Places;
  readonly covered: Uint8Array;
  /** Which nodes of a piece its weights count for: with `in` those of the columns, with `out` those of the rows. */
  readonly side: "in" | "out" | "both";
  /** For messages. */
  readonly measure: string;
}

/** @throws {AnalysisError} `ANALYSIS_UNDEFINED` when a degree exceeds float64. */
export function degreesOf({ graph, pieces, places, covered, side, measure }: DegreesRequest): {
  readonly memory: PeelMemory;
  readonly losses: PieceLosses[];
} {
  const { nodeCount, blocks } = graph;
  const arena = blocks.map(({ weights }) => arenaOf(weights)).find((found) => found !== null);
  const memory = peelMemory(nodeCount, arena ?? null);
  const { degrees } = memory;
  const placesOf = (node: number): number => places.start[node + 1]! - places.start[node]!;
  const losses = pieces.map((own) =>
    lossesOf(
      own,
      memory,
      own.rowNodes.every((node) => placesOf(node) === 1),
    ),
  );
  const sums = new Float64Array(nodeCount);
  pieces.forEach(({ rowNodes, columnNodes }, i) => {
    const { rows, columns } = losses[i]!.sums();
    if (side !== "in") addTo(sums, rowNodes, rows);
    if (side !== "out") addTo(sums, columnNodes, columns);
  });
  checkRange(sums, measure);
  for (let node = 0; node < nodeCount; node++) if (covered[node] === 1) degrees[node] = sums[node]!;
  return { memory, losses };
}

function addTo(sums: Float64Array, nodes: Int32Array, amounts: Float64Array): void {
  for (let i = 0; i < nodes.length; i++) sums[nodes[i]!]! += amounts[i]!;
}

/** The sum of a node's parts towards nodes that are `linked`, over its places as a row, as a column, or both. */
export function freshDegree(
  node: number,
  { pieces, places }: { readonly pieces: readonly Piece[]; readonly places: Places },
  linked: { readonly row: Linked; readonly column: Linked },
): number {
  const { start, piece, position } = places;
  let sum = 0;
  for (let i = start[node]!; i < start[node + 1]!; i++) {
    const own = pieces[piece[i]!]!;
    const { weights, rowNodes, columnNodes } = own;
    const part = partOf(own);
    const width = columnNodes.length;
    const at = position[i]!;
    const isRow = at >= 0;
    const [others, from, step] = isRow ? [columnNodes, at * width, 1] : [rowNodes, -1 - at, width];
    const isLinked = isRow ? linked.row : linked.column;
    for (let j = 0; j < others.length; j++)
      if (isLinked(others[j]!)) sum += part(weights[from + j * step]!);
  }
  return sum;
}

/** Whether the node at the other end of a row's or a column's weight is still there. */
type Linked = (other: number) => boolean;
