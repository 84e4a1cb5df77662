/**
 * Neural persistence of each block: the zero-dimensional persistent homology of its weights, as one number.
 *
 * The block is a complete bipartite graph, its edge weights w (L2 norms of taps) divided by the largest of the network, or of the
 * block itself. Neurons are there from 1 on, edges come in order of falling weight; each edge that joins two parts ends one of them
 * and gives the pair (1, w). These are the edges of a maximum spanning tree, one tree per group. The figure is the p-norm
 * of the 1 - w; `normalised` divides it by its largest possible value, (neurons - groups)^(1/p).
 * Domain: finite weights. Where every weight that the scale looks at is zero, nothing can be divided and the figures are null.
 * Cost: O(rows · columns + (rows + columns)²) a block, by Prim's algorithm without sorting.
 * Source: Rieck et al. 2019, arXiv 1812.09764, definitions 1 and 2, theorem 1. The part that never ends is left out, as in the
 * theorem; `essential` counts it as (1, 0), as the authors' code does.
 * Golden: docs/measures/persistence.md, by hand; scipy's minimum spanning trees on trained models.
 */
import { GraphError } from "../errors.ts";
import { edgeWeights } from "../graph/block.ts";
import type { Block, LayeredGraph } from "../graph/layeredGraph.ts";
import { spanningTreeWeights } from "../numeric/bipartiteForest.ts";
import { blockMeasure, type BlockFigures, type BlockMeasure } from "./measure.ts";
import { requireNumber, requireOneOf } from "./options.ts";

export interface PersistenceOptions {
  /** What the weights are divided by: the largest of the network, or of each block. @defaultValue "network" */
  readonly scale?: (typeof scales)[number];
  /** Exponent of the norm. @defaultValue 2 */
  readonly p?: number;
  /** Count the part that never ends. @defaultValue false */
  readonly essential?: boolean;
}

const scales = ["network", "block"] as const;

export interface BlockPersistence {
  /** p-norm of the persistences. */
  readonly persistence: number | null;
  /** The same over its largest possible value. */
  readonly normalised: number | null;
  /** Pairs that were counted. */
  readonly pairs: number;
  /** Mean of 1 - w over the pairs. */
  readonly mean: number | null;
}

export interface Persistence {
  /** In order of `graph.blocks`. */
  readonly blocks: readonly BlockPersistence[];
  /** Mean of `normalised` over the blocks that have it: the network's figure. */
  readonly normalised: number | null;
}

/** @throws {GraphError} `GRAPH_NO_EDGES` */
export function persistence(
  graph: LayeredGraph,
  { scale = "network", p = 2, essential = false }: PersistenceOptions = {},
): Persistence {
  requireOneOf("scale", scale, scales);
  requireNumber("p", p, exponentDomain);
  if (graph.edgeCount === 0) {
    throw new GraphError("GRAPH_NO_EDGES", "no block, so no persistence", { path: [graph.name] });
  }
  const largest = graph.blocks.map((block) => largestOf(edgeWeights(block, "norm")));
  const ofNetwork = Math.max(...largest);
  const blocks = graph.blocks.map((block, i) =>
    figuresOf(block, scale === "network" ? ofNetwork : largest[i]!, { p, essential }),
  );
  const known = blocks.flatMap(({ normalised }) => (normalised === null ? [] : [normalised]));
  const sum = known.reduce((total, value) => total + value, 0);
  return { blocks, normalised: known.length === 0 ? null : sum / known.length };
}

const exponentDomain = { min: 1, max: 1000, integer: false };

function figuresOf(
  block: Block,
  scale: number,
  { p, essential }: { readonly p: number; readonly essential: boolean },
): BlockPersistence {
  const { groups } = block;
  const shape = { rows: block.rows / groups, columns: block.columns / groups };
  const tree = block.rows + block.columns - groups;
  const pairs = tree + (essential ? groups : 0);
  if (scale === 0) return { persistence: null, normalised: null, pairs, mean: null };
  const weights = edgeWeights(block, "norm");
  let powers = essential ? groups : 0;
  let sum = powers;
  for (let group = 0; group < groups; group++) {
    const offset = group * shape.rows * shape.columns;
    for (const weight of spanningTreeWeights(weights, { offset, ...shape })) {
      const persistence = 1 - weight / scale;
      powers += persistence ** p;
      sum += persistence;
    }
  }
  const norm = powers ** (1 / p);
  return { persistence: norm, normalised: norm / tree ** (1 / p), pairs, mean: sum / pairs };
}

function largestOf(weights: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < weights.length; i++) largest = Math.max(largest, weights[i]!);
  return largest;
}

/** As data. */
export const persistenceMeasure: BlockMeasure = blockMeasure({
  id: "persistence",
  title: "Neural persistence",
  description: "Zero-dimensional persistence of each block's weights.",
  onRequest: true,
  parameters: [
    {
      name: "scale",
      kind: "choice",
      choices: scales,
      default: "network",
      description: "Divide weights by the largest of the network, or of each block.",
    },
    {
      name: "p",
      kind: "number",
      ...exponentDomain,
      default: 2,
      description: "Exponent of the norm.",
    },
    {
      name: "essential",
      kind: "boolean",
      default: false,
      description: "Count the part that never ends as a pair of persistence 1.",
    },
  ],
  outputs: [
    { name: "persistence", description: "p-norm of the persistences 1 - w" },
    { name: "normalised", description: "The same over its largest possible value" },
    { name: "pairs", description: "Persistence pairs" },
    { name: "mean", description: "Mean persistence" },
  ],
  compute: (graph, options: PersistenceOptions) => {
    const { blocks, normalised } = persistence(graph, options);
    return {
      blocks: blocks.map((block): BlockFigures => ({ ...block })),
      facts: { normalised },
    };
  },
});
