/**
 * The matrix form of a graph, small enough to type by hand: {"blocks":[{"from","to","weights":[[…]]}]}, a row per receiving
 * neuron. Layers come in the order of first mention, `from` before `to`; two blocks between the same layers are parallel edges.
 */
import { GraphError, WeightGraphError } from "../errors.ts";
import { assembleGraph, type Block, type LayeredGraph } from "./layeredGraph.ts";

export interface MatrixBlock {
  readonly from: string;
  readonly to: string;
  /** [neurons of `to`][neurons of `from`] */
  readonly weights: readonly (readonly number[])[];
}

export interface MatrixForm {
  readonly blocks: readonly MatrixBlock[];
}

type Path = readonly (string | number)[];

/**
 * The graph that a parsed document describes. Weights become float64.
 * @throws {GraphError} `GRAPH_MALFORMED` with the path of the first offence, `GRAPH_NO_EDGES` for an empty list of blocks
 * @throws {WeightGraphError} `WEIGHTS_NOT_FINITE`
 */
export function graphFromMatrix(input: unknown): LayeredGraph {
  const list = fieldOf(input, "blocks", []);
  if (!Array.isArray(list)) throw malformed("blocks must be a list", ["blocks"]);
  if (list.length === 0) {
    throw new GraphError("GRAPH_NO_EDGES", "the list of blocks is empty", { path: ["blocks"] });
  }
  const parsed = list.map((block, i) => parseBlock(block, ["blocks", i]));

  const sizes = new Map<string, number>();
  parsed.forEach(({ from, to, rows, columns }, i) => {
    for (const [name, size, side] of [
      [from, columns, "columns"],
      [to, rows, "rows"],
    ] as const) {
      const known = sizes.get(name) ?? size;
      if (known !== size) {
        throw malformed(
          `${size} ${side}, but layer ${JSON.stringify(name)} has ${known} neurons by an earlier block`,
          ["blocks", i, "weights"],
        );
      }
      sizes.set(name, size);
    }
  });
  refuseCycles(parsed);

  const layers = Array.from(sizes, ([name, size]) => ({ name, size }));
  const first = new Map<string, number>();
  let offset = 0;
  for (const { name, size } of layers) {
    first.set(name, offset);
    offset += size;
  }
  const nodesOf = (name: string, size: number): Int32Array =>
    Int32Array.from({ length: size }, (_, i) => (first.get(name) ?? 0) + i);
  const blocks = parsed.map(({ from, to, rows, columns, weights }): Block => ({
    name: `${from} to ${to}`,
    weights,
    rows,
    columns,
    groups: 1,
    taps: 1,
    rowNodes: nodesOf(to, rows),
    columnNodes: nodesOf(from, columns),
  }));
  return assembleGraph("matrix", layers, blocks, "declared");
}

/**
 * The matrix form of a graph that came from one, with its own weights or with `weights`, one array a block.
 * @throws {GraphError} `GRAPH_MALFORMED` when a block has groups or taps, or does not join two whole layers.
 */
export function matrixFromBlocks(
  graph: LayeredGraph,
  weights: readonly Block["weights"][] = graph.blocks.map((block) => block.weights),
): MatrixForm {
  return {
    blocks: graph.blocks.map((block, i) => {
      const { rows, columns } = block;
      const values = weights[i];
      const to = layerOf(graph, block.rowNodes);
      const from = layerOf(graph, block.columnNodes);
      if (to === undefined || from === undefined || values?.length !== rows * columns) {
        throw malformed("the block is not one matrix between two layers", [graph.name, block.name]);
      }
      return {
        from,
        to,
        weights: Array.from({ length: rows }, (_, row) =>
          Array.from(values.subarray(row * columns, (row + 1) * columns)),
        ),
      };
    }),
  };
}

interface ParsedBlock {
  readonly from: string;
  readonly to: string;
  readonly rows: number;
  readonly columns: number;
  /** [rows, columns] */
  readonly weights: Float64Array;
}

function parseBlock(block: unknown, path: Path): ParsedBlock {
  const from = nameOf(block, "from", path);
  const to = nameOf(block, "to", path);
  if (from === to) {
    throw malformed(`a block cannot join layer ${JSON.stringify(to)} to itself`, [...path, "to"]);
  }
  const rows = fieldOf(block, "weights", path);
  const at = [...path, "weights"];
  if (!Array.isArray(rows) || rows.length === 0) {
    throw malformed("weights must be a list of rows, one at least", at);
  }
  const columns = Array.isArray(rows[0]) ? rows[0].length : 0;
  const weights = new Float64Array(rows.length * columns);
  rows.forEach((row: unknown, r) => {
    if (!Array.isArray(row) || row.length === 0) {
      throw malformed("a row must be a list of numbers, one at least", [...at, r]);
    }
    if (row.length !== columns) {
      throw malformed(`the row has ${row.length} numbers, the first has ${columns}`, [...at, r]);
    }
    row.forEach((weight: unknown, c) => {
      if (typeof weight !== "number") {
        throw malformed(`${JSON.stringify(weight)} is not a number`, [...at, r, c]);
      }
      if (!Number.isFinite(weight)) {
        throw new WeightGraphError("WEIGHTS_NOT_FINITE", `the weight is ${weight}`, {
          path: [...at, r, c],
        });
      }
      weights[r * columns + c] = weight;
    });
  });
  return { from, to, rows: rows.length, columns, weights };
}

function fieldOf(input: unknown, field: string, path: Path): unknown {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw malformed("an object is expected", path);
  }
  if (!Object.hasOwn(input, field)) throw malformed(`${field} is missing`, path);
  return (input as Record<string, unknown>)[field];
}

function nameOf(block: unknown, field: "from" | "to", path: Path): string {
  const name = fieldOf(block, field, path);
  if (typeof name !== "string" || name === "") {
    throw malformed(`${field} must be the name of a layer`, [...path, field]);
  }
  return name;
}

/** Takes away blocks that come from a layer without input or end in one without output; what is left lies on cycles. */
function refuseCycles(blocks: readonly ParsedBlock[]): void {
  let left = blocks.map(({ from, to }, index) => ({ from, to, index }));
  for (let before = Infinity; left.length < before;) {
    before = left.length;
    const receiving = new Set(left.map(({ to }) => to));
    const sending = new Set(left.map(({ from }) => from));
    left = left.filter(({ from, to }) => receiving.has(from) && sending.has(to));
  }
  const [first] = left;
  if (first === undefined) return;
  const names = [...new Set(left.map(({ from }) => from))].join(", ");
  throw malformed(`the layers form a cycle: ${names}`, ["blocks", first.index]);
}

/** Name of the layer whose nodes, in order, are `nodes`. */
function layerOf(graph: LayeredGraph, nodes: Int32Array): string | undefined {
  return graph.layers.find(
    ({ offset, size }) => size === nodes.length && nodes.every((node, i) => node === offset + i),
  )?.name;
}

function malformed(message: string, path: Path): GraphError {
  return new GraphError("GRAPH_MALFORMED", message, { path });
}
