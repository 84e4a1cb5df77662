/** Marks for walks on which a node may show up twice: parallel edges show the same neighbour again. */
export interface VisitMarks {
  /** Starts a new walk: no node is marked. */
  next(): void;
  /** Marks `node`; true the first time in this walk. */
  first(node: number): boolean;
}

/** Cost: O(1) a call; a new walk clears nothing. */
export function visitMarks(nodeCount: number): VisitMarks {
  const seen = new Float64Array(nodeCount);
  let walk = 1;
  return {
    next() {
      walk++;
    },
    first(node) {
      if (seen[node] === walk) return false;
      seen[node] = walk;
      return true;
    },
  };
}
