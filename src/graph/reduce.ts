/**
 * The strongest edges of a graph, as many as a picture or an object graph can hold, and the share of the weights they carry.
 *
 * Each block first gets an equal part of the budget, so that no layer vanishes behind one with larger weights; what a small
 * block leaves over goes to the strongest edges of the whole graph. Edges of weight zero are never taken. Equal weights are
 * taken in order of block and place, so the answer is the same everywhere.
 * Cost: O(edges), and O(blocks · budget · log budget) for the order among the candidates.
 */
import { UsageError } from "../errors.ts";
import { kthLargest } from "../numeric/quantile.ts";
import { edgeWeights, signedWeightAt, type TapReduction } from "./block.ts";
import type { Block, LayeredGraph } from "./layeredGraph.ts";

export interface ReduceOptions {
  /** The most edges to keep. @defaultValue 20000 */
  readonly edgeBudget?: number;
  /** What the taps of an edge come to. @defaultValue "norm", with the sign of their sum */
  readonly taps?: TapReduction;
}

/** Edges in order of block, row and column. */
export interface ReducedGraph {
  /** Sending node of each edge. */
  readonly from: Int32Array;
  /** Receiving node. */
  readonly to: Int32Array;
  /** L2 norm of the edge's taps, with the sign of their sum: the weight itself when there is one tap. Else as `taps` asked. */
  readonly weight: Float64Array;
  /** Index into the graph's blocks. */
  readonly block: Int32Array;
  /** Place of the edge among those of its block, row after row. */
  readonly place: Float64Array;
  /** Sum of |weight| that was kept over that of the graph; 1 for a graph of zeros. */
  readonly keptShare: number;
  readonly blocks: readonly {
    readonly name: string;
    readonly edges: number;
    readonly kept: number;
    readonly keptShare: number;
  }[];
}

/** @throws {UsageError} `USAGE_INVALID_OPTION` unless `edgeBudget` is a whole number >= 0. */
export function reduceGraph(
  graph: LayeredGraph,
  { edgeBudget = 20000, taps = "norm" }: ReduceOptions = {},
): ReducedGraph {
  if (!Number.isSafeInteger(edgeBudget) || edgeBudget < 0) {
    throw new UsageError("USAGE_INVALID_OPTION", `edgeBudget must be >= 0, not ${edgeBudget}`, {
      path: ["edgeBudget"],
    });
  }
  const { blocks } = graph;
  const isSigned = taps === "norm" || taps === "sum";
  const totals: number[] = [];
  const candidates = blocks.map((block, index) => {
    const strengths = Float64Array.from(edgeWeights(block, taps), Math.abs);
    totals.push(strengths.reduce((sum, weight) => sum + weight, 0));
    return strongest(strengths, edgeBudget).map((edge) => ({
      block: index,
      edge,
      strength: strengths[edge]!,
    }));
  });
  const share = Math.floor(edgeBudget / Math.max(1, blocks.length));
  const chosen = candidates.flatMap((edges) => edges.slice(0, share));
  const rest = candidates
    .flatMap((edges) => edges.slice(share))
    .sort((a, b) => b.strength - a.strength || a.block - b.block || a.edge - b.edge);
  const kept = [...chosen, ...rest.slice(0, edgeBudget - chosen.length)].sort(
    (a, b) => a.block - b.block || a.edge - b.edge,
  );

  const keptSums = blocks.map(() => 0);
  const keptCounts = blocks.map(() => 0);
  const from = new Int32Array(kept.length);
  const to = new Int32Array(kept.length);
  const weight = new Float64Array(kept.length);
  kept.forEach(({ block: index, edge, strength }, i) => {
    keptSums[index]! += strength;
    keptCounts[index]!++;
    const block = blocks[index]!;
    const { row, column } = endsOf(block, edge);
    to[i] = block.rowNodes[row]!;
    from[i] = block.columnNodes[column]!;
    weight[i] = isSigned && signedWeightAt(block, edge) < 0 ? -strength : strength;
  });
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  return {
    from,
    to,
    weight,
    block: Int32Array.from(kept, (edge) => edge.block),
    place: Float64Array.from(kept, ({ edge }) => edge),
    keptShare: ratio(sum(keptSums), sum(totals)),
    blocks: blocks.map((block, i) => ({
      name: block.name,
      edges: (block.rows * block.columns) / block.groups,
      kept: keptCounts[i]!,
      keptShare: ratio(keptSums[i]!, totals[i]!),
    })),
  };
}

/** Indices of the `count` largest non-zero values, largest first, the earlier index first among equals. */
function strongest(values: Float64Array, count: number): number[] {
  const nonZero = values.reduce((n, value) => n + (value === 0 ? 0 : 1), 0);
  const wanted = Math.min(count, nonZero);
  if (wanted === 0) return [];
  const least = kthLargest(values.slice(), wanted);
  const above: number[] = [];
  const equal: number[] = [];
  values.forEach((value, i) => {
    if (value > least) above.push(i);
    else if (value === least && equal.length < wanted) equal.push(i);
  });
  above.sort((a, b) => values[b]! - values[a]! || a - b);
  return [...above, ...equal.slice(0, wanted - above.length)];
}

function endsOf(block: Block, edge: number): { row: number; column: number } {
  const columnsPerGroup = block.columns / block.groups;
  const row = Math.floor(edge / columnsPerGroup);
  const group = Math.floor(row / (block.rows / block.groups));
  return { row, column: group * columnsPerGroup + (edge % columnsPerGroup) };
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 1 : part / whole;
}
