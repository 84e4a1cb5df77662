/**
 * The disparity backbone: edges that hold more of a neuron's strength than chance would give them.
 *
 * A neuron of k edges and strength s on one side (into it, or out of it) keeps an edge of weight w there when
 * (1 - w / s)^(k - 1) < alpha: the chance of such a share, were s split by k - 1 uniform cuts. An edge stays when its receiver or
 * its sender keeps it. A neuron of one edge keeps none by itself (k = 1: the chance is 1), so its edge stays or goes with the
 * other end. Magnitudes count, zeros are no edges, parallel edges count each.
 * The power is taken by repeated squaring and solved once per k, so that the answer is the same on every machine.
 * Cost: two passes over the edges. Source: Serrano, Boguna and Vespignani 2009, doi 10.1073/pnas.0808904106, the directed form.
 */
import { GraphError } from "../errors.ts";
import { columnSpan } from "./block.ts";
import { forEachEnd, type EdgeSide, type EdgeTable } from "./edgeTable.ts";

/** @throws {GraphError} `GRAPH_WEIGHT_RANGE` when a strength exceeds float64. */
export function keepSignificant(edges: EdgeTable, alpha: number): void {
  const shares = shareNeeded(alpha);
  const receiver = endsOf(edges, "receiver", shares);
  const sender = endsOf(edges, "sender", shares);
  const keeps = ({ strength, share }: Ends, node: number, magnitude: number): boolean =>
    magnitude / strength[node]! >= share[node]!;
  edges.blocks.forEach((block, i) => {
    const own = edges.weights[i]!;
    for (let row = 0, edge = 0; row < block.rows; row++) {
      const { first, count } = columnSpan(block, row);
      const to = block.rowNodes[row]!;
      for (let column = first; column < first + count; column++, edge++) {
        const magnitude = Math.abs(own[edge]!);
        if (magnitude === 0 || keeps(receiver, to, magnitude)) continue;
        if (!keeps(sender, block.columnNodes[column]!, magnitude)) own[edge] = 0;
      }
    }
  });
}

interface Ends {
  /** Sum of the magnitudes on this side, [nodeCount]. */
  readonly strength: Float64Array;
  /** The least share of it that is significant, [nodeCount]. */
  readonly share: Float64Array;
}

function endsOf(edges: EdgeTable, side: EdgeSide, shares: (edges: number) => number): Ends {
  const strength = new Float64Array(edges.nodeCount);
  const degrees = new Float64Array(edges.nodeCount);
  forEachEnd(edges, side, (node, magnitude) => {
    strength[node]! += magnitude;
    degrees[node]!++;
  });
  if (!strength.every(Number.isFinite)) {
    throw new GraphError("GRAPH_WEIGHT_RANGE", "the strength of a neuron exceeds float64", {
      path: [edges.name],
      hint: "Scale the weights first, for instance by layerNorm=max.",
    });
  }
  return { strength, share: degrees.map(shares) };
}

/** The least share of a neuron's strength that is significant among k edges; out of reach for one edge. */
function shareNeeded(alpha: number): (edges: number) => number {
  const known = new Map<number, number>();
  return (edges) => {
    if (edges <= 1) return Infinity;
    const found = known.get(edges) ?? leastShare(edges, alpha);
    known.set(edges, found);
    return found;
  };
}

/** By bisection: the power falls as the share grows, rounding included. */
function leastShare(edges: number, alpha: number): number {
  let below = 0;
  let least = 1;
  for (;;) {
    const share = (below + least) / 2;
    if (share <= below || share >= least) return least;
    if (power(1 - share, edges - 1) < alpha) least = share;
    else below = share;
  }
}

function power(base: number, exponent: number): number {
  let result = 1;
  for (let square = base, left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result *= square;
    square *= square;
  }
  return result;
}
