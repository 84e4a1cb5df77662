import { edgeWeights } from "../../src/graph/block.ts";
import type { LayeredGraph } from "../../src/graph/layeredGraph.ts";

/** The whole graph as a dense matrix of edge weights, matrix[receiver][sender]; parallel edges add. */
export function directedMatrix(graph: LayeredGraph): number[][] {
  const zeros = (): number[] => Array.from({ length: graph.nodeCount }, () => 0);
  const matrix = Array.from({ length: graph.nodeCount }, zeros);
  for (const block of graph.blocks) {
    const { groups, rowNodes, columnNodes } = block;
    const weights = edgeWeights(block, "norm");
    const [height, width] = [block.rows / groups, block.columns / groups];
    weights.forEach((weight, edge) => {
      const row = Math.floor(edge / width);
      const column = Math.floor(row / height) * width + (edge % width);
      matrix[rowNodes[row]!]![columnNodes[column]!]! += weight;
    });
  }
  return matrix;
}

/** x with matrix · x = right, by Gauss elimination with pivots: slow and obvious, for comparison only. */
export function denseSolve(
  matrix: readonly (readonly number[])[],
  right: readonly number[],
): number[] {
  const a = matrix.map((row, i) => [...row, right[i]!]);
  const n = a.length;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i]![k]!) > Math.abs(a[pivot]![k]!)) pivot = i;
    [a[k], a[pivot]] = [a[pivot]!, a[k]!];
    for (let i = k + 1; i < n; i++) {
      const factor = a[i]![k]! / a[k]![k]!;
      for (let j = k; j <= n; j++) a[i]![j]! -= factor * a[k]![j]!;
    }
  }
  const x = a.map(() => 0);
  for (let i = n - 1; i >= 0; i--) {
    const known = x.reduce((sum, value, j) => (j > i ? sum + a[i]![j]! * value : sum), 0);
    x[i] = (a[i]![n]! - known) / a[i]![i]!;
  }
  return x;
}
