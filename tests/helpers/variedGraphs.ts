/** Small graphs of every shape that measures of directed edges have to get right. */
import { assembleGraph, type LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { graphFromMatrix } from "../../src/graph/matrix.ts";
import { createRandom } from "../../src/random.ts";
import { chainGraph, rolledToy, type Rows } from "./methods.ts";

const random = createRandom(11);
const normalRows = (rows: number, columns: number): number[][] =>
  Array.from({ length: rows }, () => Array.from({ length: columns }, () => random.normal()));

/** Neurons 0 and 1 send to 2 and 3, which send back to 0 and 1: a residual sum joined them. */
export function cyclicGraph(): LayeredGraph {
  const block = (name: string, from: readonly number[], to: readonly number[], rows: Rows) => ({
    name,
    weights: Float64Array.from(rows.flat()),
    rows: to.length,
    columns: from.length,
    groups: 1,
    taps: 1,
    rowNodes: Int32Array.from(to),
    columnNodes: Int32Array.from(from),
  });
  const layers = ["a", "b", "c"].map((name) => ({ name, size: 2 }));
  const blocks = [
    block(
      "back",
      [2, 3],
      [0, 1],
      [
        [1, -2],
        [0, 4],
      ],
    ),
    block(
      "there",
      [0, 1],
      [2, 3],
      [
        [3, 1],
        [-1, 1],
      ],
    ),
    block(
      "self",
      [0, 1],
      [0, 1],
      [
        [1, 2],
        [3, -4],
      ],
    ),
    block(
      "on",
      [0, 1],
      [4, 5],
      [
        [0.1, 0],
        [0, 0],
      ],
    ),
  ];
  return assembleGraph("cyclic", layers, blocks, "declared");
}

export const variedGraphs: { name: string; graph: LayeredGraph }[] = [
  {
    name: "three dense layers",
    graph: chainGraph([{ rows: normalRows(12, 20) }, { rows: normalRows(9, 12) }]),
  },
  { name: "kernels", graph: rolledToy() },
  { name: "cycles and a neuron that meets itself", graph: cyclicGraph() },
  {
    name: "blocks listed against the flow, shortcuts, parallel edges",
    graph: graphFromMatrix({
      blocks: [
        { from: "b", to: "c", weights: normalRows(5, 6) },
        { from: "a", to: "c", weights: normalRows(5, 4) },
        { from: "a", to: "b", weights: normalRows(6, 4) },
        { from: "a", to: "c", weights: normalRows(5, 4) },
      ],
    }),
  },
  {
    name: "groups",
    graph: assembleGraph(
      "groups",
      [
        { name: "a", size: 4 },
        { name: "b", size: 6 },
        { name: "unused", size: 1 },
      ],
      [
        {
          name: "grouped",
          weights: Float32Array.from({ length: 24 }, (_, i) => ((i * 7) % 11) - 5),
          rows: 6,
          columns: 4,
          groups: 2,
          taps: 2,
          rowNodes: Int32Array.of(4, 5, 6, 7, 8, 9),
          columnNodes: Int32Array.of(0, 1, 2, 3),
        },
      ],
      "declared",
    ),
  },
  {
    name: "zeros",
    graph: chainGraph([
      {
        rows: [
          [0, 0],
          [0, 0],
        ],
      },
    ]),
  },
  {
    name: "zero rows and columns",
    graph: chainGraph([
      {
        rows: [
          [0, 2, 0],
          [0, 0, 0],
          [0, 1, -1],
        ],
      },
    ]),
  },
];
