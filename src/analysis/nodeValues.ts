import { AnalysisError } from "../errors.ts";
import type { LayeredGraph } from "../graph/layeredGraph.ts";

/** One number per node, and for which nodes the measure is defined. */
export interface NodeValues {
  /** [nodeCount]; 0 where not covered. */
  readonly values: Float64Array;
  /** [nodeCount]; 1 where the measure has a value. */
  readonly covered: Uint8Array;
}

/** [nodeCount]; 1 for the nodes that stand in a block, be all its weights zero. */
export function nodesInBlocks(graph: LayeredGraph): Uint8Array {
  const inBlock = new Uint8Array(graph.nodeCount);
  for (const { rowNodes, columnNodes } of graph.blocks) {
    for (const node of rowNodes) inBlock[node] = 1;
    for (const node of columnNodes) inBlock[node] = 1;
  }
  return inBlock;
}

/** Null where the measure has no value: the form that JSON and tables take. */
export function nullable({ values, covered }: NodeValues): (number | null)[] {
  const column: (number | null)[] = [];
  for (let node = 0; node < values.length; node++) {
    column.push(covered[node] === 1 ? values[node]! : null);
  }
  return column;
}

/** The values of the covered nodes among [first, last), in node order. */
export function coveredValues(
  { values, covered }: NodeValues,
  first = 0,
  last: number = values.length,
): Float64Array {
  const own = new Float64Array(Math.max(0, last - first));
  let count = 0;
  for (let node = first; node < last; node++) if (covered[node] === 1) own[count++] = values[node]!;
  return own.subarray(0, count);
}

/** `values` as they are. @throws {AnalysisError} `ANALYSIS_UNDEFINED` when a sum has left the range of float64. */
export function checkRange(values: Float64Array, measure: string): Float64Array {
  let node = 0;
  while (node < values.length && Number.isFinite(values[node])) node++;
  if (node < values.length) {
    throw new AnalysisError("ANALYSIS_UNDEFINED", `${measure} of node ${node} exceeds float64`, {
      hint: "Divide all weights by a common factor.",
    });
  }
  return values;
}
