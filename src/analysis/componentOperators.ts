/**
 * The edge weights of a graph as one symmetric operator per connected component. Dense blocks stay dense: a block that lies
 * within one component is used as it is, another is cut into the rectangles of its components.
 */
import { edgeWeights } from "../graph/block.ts";
import { connectedComponents } from "../graph/components.ts";
import type { Block, LayeredGraph } from "../graph/layeredGraph.ts";
import type { SymmetricOperator } from "../numeric/lanczos.ts";

export interface ComponentOperator {
  /** Nodes of the component; entry i of a vector belongs to nodes[i]. */
  readonly nodes: Int32Array;
  /**
   * y = scale · A x, A being the symmetric matrix of edge weights (norms of taps), each edge both ways; parallel edges add,
   * an edge from a node to itself counts twice.
   */
  readonly apply: SymmetricOperator;
  /** A power of two that brings the largest weight to between 1 and 2. */
  readonly scale: number;
}

/** Only components with an edge. Cost: a pass over the weights, and a copy of the blocks that have to be cut. */
export function componentOperators(graph: LayeredGraph): ComponentOperator[] {
  const components = connectedComponents(graph);
  const local = new Int32Array(graph.nodeCount);
  const nodes = Array.from(components.sizes, (size) => new Int32Array(size));
  const filled = new Int32Array(nodes.length);
  components.of.forEach((component, node) => {
    const place = filled[component]!++;
    local[node] = place;
    nodes[component]![place] = node;
  });

  const pieces: Piece[][] = nodes.map(() => []);
  for (const block of graph.blocks) {
    const weights = edgeWeights(block, "norm");
    for (let group = 0; group < block.groups; group++) {
      const whole = groupPiece(block, weights, group);
      for (const [component, piece] of cut(whole, components.of)) {
        const toLocal = (ids: Int32Array): Int32Array => ids.map((node) => local[node]!);
        pieces[component]!.push({
          weights: piece.weights,
          rows: toLocal(piece.rows),
          columns: toLocal(piece.columns),
        });
      }
    }
  }
  return pieces.flatMap((own, component) => {
    const scale = scaleOf(own);
    if (scale === undefined) return [];
    return [{ nodes: nodes[component]!, scale, apply: operatorOf(own, scale) }];
  });
}

type Weights = NonNullable<Block["weights"]>;

/** A rectangle of weights, [rows.length, columns.length]. */
interface Piece {
  readonly weights: Weights;
  readonly rows: Int32Array;
  readonly columns: Int32Array;
}

function groupPiece(block: Block, weights: Weights, group: number): Piece {
  const part = (ids: Int32Array): Int32Array => {
    const size = ids.length / block.groups;
    return ids.subarray(group * size, (group + 1) * size);
  };
  const rows = part(block.rowNodes);
  const columns = part(block.columnNodes);
  const size = rows.length * columns.length;
  return { weights: weights.subarray(group * size, (group + 1) * size), rows, columns };
}

/** The piece itself when one component holds it, else a copy of what each component holds. */
function cut(piece: Piece, componentOf: Int32Array): Map<number, Piece> {
  const rows = byComponent(piece.rows, componentOf);
  const columns = byComponent(piece.columns, componentOf);
  const parts = new Map<number, Piece>();
  for (const [component, ownRows] of rows) {
    const ownColumns = columns.get(component);
    if (ownColumns === undefined) continue;
    if (rows.size === 1 && columns.size === 1) return parts.set(component, piece);
    const weights = new Float64Array(ownRows.length * ownColumns.length);
    ownRows.forEach((row, i) =>
      ownColumns.forEach((column, j) => {
        weights[i * ownColumns.length + j] = piece.weights[row * piece.columns.length + column]!;
      }),
    );
    parts.set(component, {
      weights,
      rows: Int32Array.from(ownRows, (row) => piece.rows[row]!),
      columns: Int32Array.from(ownColumns, (column) => piece.columns[column]!),
    });
  }
  return parts;
}

function byComponent(nodes: Int32Array, componentOf: Int32Array): Map<number, number[]> {
  const places = new Map<number, number[]>();
  nodes.forEach((node, place) => {
    const component = componentOf[node]!;
    const known = places.get(component);
    if (known === undefined) places.set(component, [place]);
    else known.push(place);
  });
  return places;
}

/** Undefined when there is no weight but zero. */
function scaleOf(pieces: readonly Piece[]): number | undefined {
  let largest = 0;
  for (const { weights } of pieces)
    for (let i = 0; i < weights.length; i++) largest = Math.max(largest, weights[i]!);
  if (largest === 0) return undefined;
  // Beyond 2^±1000 the reciprocal leaves float64.
  return 2 ** -Math.min(1000, Math.max(-1000, Math.floor(Math.log2(largest))));
}

function operatorOf(pieces: readonly Piece[], scale: number): SymmetricOperator {
  const widest = pieces.reduce((most, { columns }) => Math.max(most, columns.length), 0);
  const gathered = new Float64Array(widest);
  const spread = new Float64Array(widest);
  return (x, y) => {
    y.fill(0);
    for (const { weights, rows, columns } of pieces) {
      const width = columns.length;
      for (let j = 0; j < width; j++) gathered[j] = x[columns[j]!]! * scale;
      spread.fill(0, 0, width);
      for (let i = 0, at = 0; i < rows.length; i++) {
        const own = x[rows[i]!]! * scale;
        let sum = 0;
        for (let j = 0; j < width; j++, at++) {
          const weight = weights[at]!;
          sum += weight * gathered[j]!;
          spread[j]! += weight * own;
        }
        y[rows[i]!]! += sum;
      }
      for (let j = 0; j < width; j++) y[columns[j]!]! += spread[j]!;
    }
  };
}
