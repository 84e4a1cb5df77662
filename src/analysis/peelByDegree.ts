import { indexedHeap } from "../numeric/indexedHeap.ts";
import { sumVector } from "../numeric/sum.ts";
import { checkRange, type NodeValues } from "./nodeValues.ts";

/** One link of `node`, worth `amount` of its degree. */
export type LinkVisitor = (node: number, amount: number) => void;

export interface Peeling {
  /** [nodeCount]; 1 for the nodes that are peeled. */
  readonly covered: Uint8Array;
  /** Names every link once, at the start. */
  readonly fill: (add: LinkVisitor) => void;
  /** Names the links that go with `node`, by the nodes that lose them; nodes that are gone already may be named. */
  readonly remove: (node: number, take: LinkVisitor) => void;
  /** For messages. */
  readonly measure: string;
}

/**
 * Generalised core numbers: takes away the node of least degree until none is left; a node's number is the largest degree met
 * up to its own leaving. Equal degrees may leave in any order without changing a number.
 * Degrees are compensated sums; a node without links has degree 0, whatever rounding left.
 * Cost: O(links log nodes). Source: Batagelj and Zaversnik 2002, arXiv cs/0202039.
 * @throws {AnalysisError} `ANALYSIS_UNDEFINED` when a degree exceeds float64.
 */
export function peelByDegree({ covered, fill, remove, measure }: Peeling): NodeValues {
  const nodeCount = covered.length;
  const degrees = sumVector(nodeCount);
  const links = new Int32Array(nodeCount);
  fill((node, amount) => {
    degrees.add(node, amount);
    links[node]!++;
  });
  const initial = Float64Array.from(covered, (_, node) => degrees.value(node));
  const nodes = Int32Array.from(covered, (_, node) => node).filter((node) => covered[node] === 1);
  const heap = indexedHeap(nodes, checkRange(initial, measure));

  const values = new Float64Array(nodeCount);
  const gone = new Uint8Array(nodeCount);
  const touched = new Set<number>();
  const take: LinkVisitor = (node, amount) => {
    if (gone[node] === 1) return;
    if (--links[node]! === 0) degrees.reset(node);
    else degrees.add(node, -amount);
    touched.add(node);
  };
  let level = 0;
  for (let node = heap.pop(); node !== undefined; node = heap.pop()) {
    level = Math.max(level, degrees.value(node));
    values[node] = level;
    gone[node] = 1;
    remove(node, take);
    for (const changed of touched) heap.decrease(changed, degrees.value(changed));
    touched.clear();
  }
  return { values, covered };
}
