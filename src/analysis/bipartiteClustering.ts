/**
 * Bipartite clustering of every neuron: how much its neighbourhood overlaps with those that it shares a neighbour with.
 *
 * c(u) is the mean over the v that share a neighbour with u of |N(u) ∩ N(v)| over |N(u) ∪ N(v)| (`dot`), the larger (`max`) or the
 * smaller (`min`) of |N(u)| and |N(v)|. N are the neurons joined by a weight other than zero: those received from (`in`), which
 * looks at the layer graph into u, those sent to (`out`), or all (`both`). With `positiveOnly` an edge counts if its
 * taps add up to more than zero.
 * Domain: a neuron that shares no neighbour with another has no value. Weights do not matter otherwise: on a full layer all is 1.
 * Cost: pairs of neurons times the words of 32 neurons that their neighbourhoods both reach into; `ANALYSIS_TOO_LARGE` above 2^34.
 * Source: Latapy, Magnien and Del Vecchio 2008, doi 10.1016/j.socnet.2007.04.006.
 * Golden: docs/measures/clustering.md, by hand; networkx on trained models.
 */
import { AnalysisError, GraphError } from "../errors.ts";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import { neighboursOf, type Neighbours } from "../graph/neighbours.ts";
import { nodeMeasure, type Measure } from "./measure.ts";
import type { NodeValues } from "./nodeValues.ts";
import { requireOneOf } from "./options.ts";

export interface BipartiteClusteringOptions {
  /** What the common neighbours are divided by. @defaultValue "dot" */
  readonly overlap?: (typeof overlaps)[number];
  /** @defaultValue "both" */
  readonly direction?: (typeof directions)[number];
  /** Leave out edges that are negative or zero. @defaultValue false */
  readonly positiveOnly?: boolean;
}

const overlaps = ["dot", "max", "min"] as const;
const directions = ["in", "out", "both"] as const;
/** Words that are compared at most: about a minute. */
const mostWords = 2 ** 34;
/** Pairs that are looked at at most. */
const mostNodes = 2 ** 16;

/** @throws {GraphError} `GRAPH_NO_EDGES` @throws {AnalysisError} `ANALYSIS_TOO_LARGE` */
export function bipartiteClustering(
  graph: LayeredGraph,
  { overlap = "dot", direction = "both", positiveOnly = false }: BipartiteClusteringOptions = {},
): NodeValues {
  requireOneOf("overlap", overlap, overlaps);
  requireOneOf("direction", direction, directions);
  if (graph.edgeCount === 0) {
    throw new GraphError("GRAPH_NO_EDGES", "no block, so no clustering", { path: [graph.name] });
  }
  if (graph.nodeCount > mostNodes) throw tooLarge(graph, `${graph.nodeCount} neurons`);
  const sets = bitSets(neighboursOf(graph, { direction, positiveOnly }), graph.nodeCount);
  const work = wordsToCompare(sets);
  if (work > mostWords) throw tooLarge(graph, `${work} words of neighbours to compare`);
  return clusteringOf(sets, divisorOf[overlap]);
}

function tooLarge(graph: LayeredGraph, what: string): AnalysisError {
  return new AnalysisError("ANALYSIS_TOO_LARGE", `clustering compares all pairs: ${what}`, {
    path: [graph.name],
    hint: 'Take direction: "in" or "out", or a smaller network.',
  });
}

const divisorOf: Readonly<
  Record<(typeof overlaps)[number], (a: number, b: number, common: number) => number>
> = {
  dot: (a, b, common) => a + b - common,
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
};

/** Neighbourhoods as bits, each from the word of its first neighbour to that of its last. */
interface BitSets {
  readonly words: Int32Array;
  /** Place in `words` of each node's first word. */
  readonly place: Float64Array;
  /** Number of the first word, and of the one behind the last. */
  readonly first: Int32Array;
  readonly end: Int32Array;
  readonly size: Int32Array;
}

function bitSets({ start, neighbour }: Neighbours, nodeCount: number): BitSets {
  const place = new Float64Array(nodeCount);
  const first = new Int32Array(nodeCount);
  const end = new Int32Array(nodeCount);
  const size = new Int32Array(nodeCount);
  let total = 0;
  for (let node = 0; node < nodeCount; node++) {
    const [from, to] = [start[node]!, start[node + 1]!];
    place[node] = total;
    size[node] = to - from;
    if (to === from) continue;
    first[node] = neighbour[from]! >> 5;
    end[node] = (neighbour[to - 1]! >> 5) + 1;
    total += end[node]! - first[node]!;
  }
  const words = new Int32Array(total);
  for (let node = 0; node < nodeCount; node++) {
    for (let i = start[node]!; i < start[node + 1]!; i++) {
      const other = neighbour[i]!;
      words[place[node]! + (other >> 5) - first[node]!]! |= 1 << (other & 31);
    }
  }
  return { words, place, first, end, size };
}

function wordsToCompare({ first, end }: BitSets): number {
  let sum = 0;
  for (let u = 0; u < first.length; u++) {
    for (let v = u + 1; v < first.length; v++) {
      const shared = Math.min(end[u]!, end[v]!) - Math.max(first[u]!, first[v]!);
      if (shared > 0) sum += shared;
    }
  }
  return sum;
}

function clusteringOf(
  { words, place, first, end, size }: BitSets,
  divisor: (a: number, b: number, common: number) => number,
): NodeValues {
  const nodeCount = size.length;
  const values = new Float64Array(nodeCount);
  const covered = new Uint8Array(nodeCount);
  const others = new Int32Array(nodeCount);
  for (let u = 0; u < nodeCount; u++) {
    for (let v = u + 1; v < nodeCount; v++) {
      const from = Math.max(first[u]!, first[v]!);
      const to = Math.min(end[u]!, end[v]!);
      let common = 0;
      let a = place[u]! + from - first[u]!;
      let b = place[v]! + from - first[v]!;
      for (let word = from; word < to; word++) common += bitCount(words[a++]! & words[b++]!);
      if (common === 0) continue;
      const own = common / divisor(size[u]!, size[v]!, common);
      values[u]! += own;
      values[v]! += own;
      others[u]!++;
      others[v]!++;
    }
    if (others[u] === 0) continue;
    values[u]! /= others[u]!;
    covered[u] = 1;
  }
  return { values, covered };
}

function bitCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  bits = (bits + (bits >>> 4)) & 0x0f0f0f0f;
  return Math.imul(bits, 0x01010101) >>> 24;
}

/** As data. */
export const bipartiteClusteringMeasure: Measure = nodeMeasure({
  id: "clustering",
  title: "Bipartite clustering",
  description: "How much a neuron's neighbours are those of the neurons it shares one with.",
  onRequest: true,
  parameters: [
    {
      name: "overlap",
      kind: "choice",
      choices: overlaps,
      default: "dot",
      description: "Common neighbours over the union (dot), the larger or the smaller set.",
    },
    {
      name: "direction",
      kind: "choice",
      choices: directions,
      default: "both",
      description: "Neighbours received from, sent to, or all.",
    },
    {
      name: "positiveOnly",
      kind: "boolean",
      default: false,
      description: "Leave out edges whose taps do not add up to more than zero.",
    },
  ],
  compute: bipartiteClustering,
});
