/**
 * Hypercore numbers by the bulk peel. A hyperedge is counted again only when so many vertices have left that it may have died:
 * it takes as many as it has members to spare.
 */
import type { TapReduction } from "../../graph/block.ts";
import type { LayeredGraph } from "../../graph/layeredGraph.ts";
import type { NodeValues } from "../nodeValues.ts";
import { bulkPeel, type Leaving } from "./bulkPeel.ts";
import { degreesOf, freshDegree } from "./degreesOf.ts";
import { allMembers, isFull, membersOf } from "./members.ts";
import { hasParallels, hasRepeats, piecesOf, placesOf, type Part } from "./pieces.ts";

export interface HypercoreRule {
  readonly side: "in" | "out";
  readonly part: Part;
  /** Members that a hyperedge of this initial size needs to live. */
  readonly needed: (size: number) => number;
}

/** What the taps between two neurons come to. */
export const reductionOf: Readonly<Record<Part["sign"], TapReduction>> = {
  absolute: "absoluteSum",
  positive: "positiveSum",
  negative: "negativeSum",
};

/**
 * Null for graphs that the plain way does as well: those of few edges, with an edge from a node to itself or parallel edges.
 * @throws {AnalysisError} `ANALYSIS_UNDEFINED`
 */
export function bulkHypercores(
  graph: LayeredGraph,
  { side, part, needed }: HypercoreRule,
  leastEdges: number = 2 ** 12,
): NodeValues | null {
  const { nodeCount } = graph;
  if (graph.edgeCount < leastEdges) return null;
  const pieces = piecesOf(graph, reductionOf[part.sign], part);
  const places = placesOf(pieces, nodeCount);
  if (hasRepeats(places) || hasParallels(pieces, places)) return null;

  const { start, piece, position } = places;
  const isVertexPlace = (at: number): boolean => position[at]! < 0 === (side === "in");
  const covered = new Uint8Array(nodeCount);
  const hyperedges: number[] = [];
  for (let node = 0; node < nodeCount; node++) {
    let isHyperedge = false;
    for (let i = start[node]!; i < start[node + 1]!; i++) {
      if (isVertexPlace(i)) covered[node] = 1;
      else isHyperedge = true;
    }
    if (isHyperedge) hyperedges.push(node);
  }
  const request = { graph, pieces, places, covered, side, measure: "hypercore degree" };
  const full = pieces.map(isFull);
  const { memory, losses } = degreesOf(request);
  const members = pieces.map((own, i) =>
    full[i] ? allMembers(own, side) : membersOf(own, side, memory),
  );
  const hasRoom = members.every((own) => own !== null);
  if (!hasRoom) return null;

  const needs = new Float64Array(nodeCount);
  const isAlive = new Uint8Array(nodeCount);
  /** Vertices that have left each piece, and how many may before one of its hyperedges has to be counted again. */
  const gone = new Int32Array(pieces.length);
  const nextCount = new Int32Array(pieces.length).fill(never);
  const counts = pieces.map(({ rowNodes, columnNodes }) =>
    new Int32Array(side === "in" ? rowNodes.length : columnNodes.length).fill(never),
  );
  const hyperedgePlaces = (node: number, visit: (own: number, at: number) => void): void => {
    for (let i = start[node]!; i < start[node + 1]!; i++) {
      if (!isVertexPlace(i)) visit(piece[i]!, side === "in" ? position[i]! : -1 - position[i]!);
    }
  };
  const sizeOf = (node: number): number => {
    let size = 0;
    hyperedgePlaces(node, (own, at) => (size += members[own]!.count(at)));
    return size;
  };
  /** Sees to it that a hyperedge is counted again in time: its places share what it has to spare. */
  const plan = (node: number, spare: number): void => {
    let shares = 0;
    hyperedgePlaces(node, () => shares++);
    const share = Math.floor(spare / shares) + 1;
    hyperedgePlaces(node, (own, at) => {
      counts[own]![at] = gone[own]! + share;
      nextCount[own] = Math.min(nextCount[own]!, gone[own]! + share);
    });
  };
  const die = (node: number, leaving: Leaving): void => {
    isAlive[node] = 0;
    hyperedgePlaces(node, (own, at) => {
      counts[own]![at] = never;
      if (side === "in") leaving.row(own, at);
      else leaving.column(own, at);
    });
  };
  const recount = (own: number, leaving: Leaving): void => {
    const { rowNodes, columnNodes } = pieces[own]!;
    const nodes = side === "in" ? rowNodes : columnNodes;
    const due = counts[own]!;
    nextCount[own] = never;
    for (let at = 0; at < due.length; at++) {
      if (due[at]! > gone[own]!) continue;
      const node = nodes[at]!;
      const spare = sizeOf(node) - needs[node]!;
      if (spare < 0) die(node, leaving);
      else plan(node, spare);
    }
    for (let at = 0; at < due.length; at++) nextCount[own] = Math.min(nextCount[own], due[at]!);
  };

  const lives = (other: number): boolean => isAlive[other] === 1;
  const none = (): boolean => false;
  const linked = side === "in" ? { row: none, column: lives } : { row: lives, column: none };
  const values = bulkPeel({
    memory,
    pieces,
    losses,
    covered,
    begin(leaving) {
      for (const node of hyperedges) {
        const size = sizeOf(node);
        needs[node] = needed(size);
        isAlive[node] = 1;
        if (size < needs[node]) die(node, leaving);
        else plan(node, size - needs[node]);
      }
    },
    follow(nodes, leaving) {
      const touched = new Set<number>();
      for (const node of nodes) {
        for (let i = start[node]!; i < start[node + 1]!; i++) {
          if (!isVertexPlace(i)) continue;
          const own = piece[i]!;
          members[own]!.leave(side === "in" ? -1 - position[i]! : position[i]!);
          losses[own]!.left[side === "in" ? "columns" : "rows"]--;
          gone[own]!++;
          touched.add(own);
        }
      }
      for (const own of touched) if (gone[own]! >= nextCount[own]!) recount(own, leaving);
    },
    fresh: (node) => freshDegree(node, { pieces, places }, linked),
  });
  return { values, covered };
}

/** More than there are vertices. */
const never = 2 ** 31 - 1;
