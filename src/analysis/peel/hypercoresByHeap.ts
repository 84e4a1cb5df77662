/**
 * Hypercore numbers vertex by vertex: the plain way, for small graphs and for those that the bulk peel does not know; what that is
 * tested against. Degrees are compensated sums.
 * Cost: O(M log n) for M incidences, each visited three times at most.
 */
import { adjacencyOf, type Adjacency, type EdgeVisitor } from "../../graph/adjacency.ts";
import type { LayeredGraph } from "../../graph/layeredGraph.ts";
import { visitMarks } from "../../graph/visitMarks.ts";
import type { NodeValues } from "../nodeValues.ts";
import { peelByDegree, type LinkVisitor } from "../peelByDegree.ts";
import { reductionOf, type HypercoreRule } from "./bulkHypercores.ts";

interface Hypergraph {
  /** Vertices and hyperedges are both numbered as nodes of the graph. */
  readonly nodeCount: number;
  readonly isVertex: (node: number) => boolean;
  readonly isHyperedge: (node: number) => boolean;
  readonly forEachMember: (hyperedge: number, visit: EdgeVisitor) => void;
  readonly forEachHyperedge: (vertex: number, visit: EdgeVisitor) => void;
}

function hypergraphOf(adjacency: Adjacency, side: "in" | "out"): Hypergraph {
  const { nodeCount, sends, receives, forEachSender, forEachReceiver } = adjacency;
  return side === "in"
    ? {
        nodeCount,
        isVertex: sends,
        isHyperedge: receives,
        forEachMember: forEachSender,
        forEachHyperedge: forEachReceiver,
      }
    : {
        nodeCount,
        isVertex: receives,
        isHyperedge: sends,
        forEachMember: forEachReceiver,
        forEachHyperedge: forEachSender,
      };
}

/** @throws {AnalysisError} `ANALYSIS_UNDEFINED` */
export function hypercoresByHeap(
  graph: LayeredGraph,
  { side, part, needed: neededBy }: HypercoreRule,
): NodeValues {
  const hypergraph = hypergraphOf(adjacencyOf(graph, reductionOf[part.sign]), side);
  const { nodeCount, isVertex, isHyperedge, forEachMember, forEachHyperedge } = hypergraph;
  const members = new Int32Array(nodeCount);
  // As l may be any whole number, 32 bits are not enough.
  const needed = new Float64Array(nodeCount);
  const marks = visitMarks(nodeCount);
  /** What a hyperedge gives to the degrees of its vertices. */
  const visitShares = (hyperedge: number, visit: LinkVisitor): void => {
    if (!part.counted) {
      forEachMember(hyperedge, visit);
      return;
    }
    marks.next();
    forEachMember(hyperedge, (vertex) => {
      if (marks.first(vertex)) visit(vertex, 1);
    });
  };
  const dying: number[] = [];
  return peelByDegree({
    covered: Uint8Array.from({ length: nodeCount }, (_, node) => (isVertex(node) ? 1 : 0)),
    measure: "hypercore degree",
    fill(add) {
      for (let hyperedge = 0; hyperedge < nodeCount; hyperedge++) {
        if (!isHyperedge(hyperedge)) continue;
        marks.next();
        forEachMember(hyperedge, (vertex) => {
          if (marks.first(vertex)) members[hyperedge]!++;
        });
        const size = members[hyperedge]!;
        needed[hyperedge] = neededBy(size);
        if (size >= needed[hyperedge]!) visitShares(hyperedge, add);
      }
    },
    remove(vertex, take) {
      marks.next();
      forEachHyperedge(vertex, (hyperedge) => {
        if (!marks.first(hyperedge)) return;
        if (members[hyperedge]!-- === needed[hyperedge]) dying.push(hyperedge);
      });
      for (const hyperedge of dying) visitShares(hyperedge, take);
      dying.length = 0;
    },
  });
}
