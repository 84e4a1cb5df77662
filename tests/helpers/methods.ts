/** Worked examples of the published methods, as small graphs. Numbers that were derived by hand stand in the tests themselves. */
import { assembleGraph, type Block, type LayeredGraph } from "../../src/graph/layeredGraph.ts";

/** Rows = receiving neurons, columns = sending ones. */
export type Rows = readonly (readonly number[])[];

/** A fully connected layer, 4 outputs by 5 inputs (hand). */
export const dense4x5: Rows = [
  [5, -2, 1, 0, 3],
  [-4, 6, 2, -1, 0],
  [3, 1, -5, 2, -6],
  [2, -3, 4, -2, 1],
];

/** Kernels of a convolution, [3 out, 2 in, 2 x 2], flattened row by row (hand). */
export const conv3x2x2x2: Rows = [
  [10, -10, 5, 5, -2, 4, 6, -8],
  [-4, 12, -6, 2, 14, -4, 2, 6],
  [8, 2, -12, 4, -10, 6, 4, -2],
];

export function matrixOf(rows: Rows): Pick<Block, "weights" | "rows" | "columns"> {
  return {
    weights: Float64Array.from(rows.flat()),
    rows: rows.length,
    columns: rows[0]?.length ?? 0,
  };
}

export function transposed(rows: Rows): number[][] {
  return (rows[0] ?? []).map((_, column) => rows.map((row) => row[column] ?? 0));
}

/** Layers in a chain: block i joins layer i to layer i + 1; `taps` consecutive numbers of a row belong to one edge. */
export function chainGraph(blocks: readonly { rows: Rows; taps?: number }[]): LayeredGraph {
  const columnsOf = ({ rows, taps = 1 }: { rows: Rows; taps?: number }): number =>
    (rows[0]?.length ?? 0) / taps;
  const sizes = [columnsOf(blocks[0] ?? { rows: [] }), ...blocks.map(({ rows }) => rows.length)];
  let offset = 0;
  const placed = blocks.map((block, i): Block => {
    const columns = columnsOf(block);
    const first = offset;
    offset += columns;
    return {
      name: `block${i}`,
      weights: Float64Array.from(block.rows.flat()),
      rows: block.rows.length,
      columns,
      groups: 1,
      taps: block.taps ?? 1,
      rowNodes: Int32Array.from(block.rows, (_, r) => offset + r),
      columnNodes: Int32Array.from({ length: columns }, (_, c) => first + c),
    };
  });
  const layers = sizes.map((size, i) => ({ name: `layer${i}`, size }));
  return assembleGraph("chain", layers, placed, "declared");
}

/** Two channels -> conv 2x2 of three -> flatten to 12 -> dense 2 -> dense 2; the weights were chosen for whole norms (hand). */
export function rolledToy(lastFactor = 1): LayeredGraph {
  const conv1 = [
    [3, 0, 0, 4, 1, -1, 1, -1],
    [0, 0, 0, 2, 2, -1, -2, 0],
    [1, 2, 2, 0, 0, 0, 0, -5],
  ];
  const fc1 = [
    [1, -2, 2, 0, 3, 4, 0, 0, 1, 1, 1, 1],
    [0, 0, 0, 1, -1, 1, -1, 1, 6, -8, 0, 0],
  ];
  const fc2 = [
    [1, -2],
    [-3, 4],
  ].map((row) => row.map((weight) => weight * lastFactor));
  return chainGraph([{ rows: conv1, taps: 4 }, { rows: fc1, taps: 4 }, { rows: fc2 }]);
}

/** The whole graph as a dense symmetric matrix of edge weights: norms of taps, each edge both ways. Groups are not expanded. */
export function symmetricMatrix(graph: LayeredGraph): number[][] {
  const zeros = (): number[] => Array.from({ length: graph.nodeCount }, () => 0);
  const matrix = Array.from({ length: graph.nodeCount }, zeros);
  for (const { weights, taps, rowNodes, columnNodes } of graph.blocks) {
    rowNodes.forEach((row, r) =>
      columnNodes.forEach((column, c) => {
        const first = (r * columnNodes.length + c) * taps;
        const norm = Math.hypot(...weights!.subarray(first, first + taps));
        matrix[row]![column]! += norm;
        matrix[column]![row]! += norm;
      }),
    );
  }
  return matrix;
}
