/**
 * The edge weights of a graph as one symmetric operator per connected component. Dense blocks stay dense: a block that lies
 * within one component is used as it is, another is cut into the rectangles of its components.
 */
import { edgeWeights } from "../graph/block.ts";
import { blockPattern } from "../graph/blockPattern.ts";
import { connectedComponents } from "../graph/components.ts";
import type { Block, LayeredGraph } from "../graph/layeredGraph.ts";
import {
  arenaProducts,
  plainProducts,
  roughError,
  type ProductOptions,
  type TwoProducts,
} from "../kernels/products.ts";
import { arenaOf } from "../kernels/weightArena.ts";
import type { RoughOperator, SymmetricOperator } from "../numeric/lanczos.ts";

export interface ComponentOperator {
  /** Nodes of the component; entry i of a vector belongs to nodes[i]. */
  readonly nodes: Int32Array;
  /**
   * y = scale · A x, A being the symmetric matrix of edge weights (norms of taps), each edge both ways; parallel edges add,
   * an edge from a node to itself counts twice.
   */
  readonly apply: SymmetricOperator;
  /** The same in float32, for vectors on one side; null where that would gain nothing. */
  readonly rough: RoughOperator | null;
  /**
   * Where every edge joins a node of side 0 to one of side 1, which is which: a vector on one side has its image on the other. Null where
   * the edges allow no such sides.
   */
  readonly sides: Uint8Array | null;
  /** A power of two that brings the largest weight to between 1 and 2. */
  readonly scale: number;
}

/**
 * Only components with an edge. Cost: a read of the weights the first time, a copy of the blocks that have to be cut or whose taps
 * are not collapsed; a product reads each weight once.
 */
export function componentOperators(graph: LayeredGraph): ComponentOperator[] {
  const components = connectedComponents(graph);
  const local = new Int32Array(graph.nodeCount);
  const nodes = Array.from(components.sizes, (size) => new Int32Array(size));
  const filled = new Int32Array(nodes.length);
  for (let node = 0; node < graph.nodeCount; node++) {
    const component = components.of[node]!;
    const place = filled[component]!++;
    local[node] = place;
    nodes[component]![place] = node;
  }

  const pieces: Piece[][] = nodes.map(() => []);
  for (const block of graph.blocks) {
    // A product takes magnitudes: of one tap that is the norm.
    const isPlain = block.taps === 1 && block.weights !== null;
    const weights = isPlain ? block.weights : edgeWeights(block, "norm");
    const toLocal = (ids: Int32Array): Int32Array => {
      const own = new Int32Array(ids.length);
      for (let i = 0; i < own.length; i++) own[i] = local[ids[i]!]!;
      return own;
    };
    const home = commonComponent(block, components.of);
    // Small groups are as fast together: each piece has vectors of its own.
    if (home !== null && weights.length < leastWeights * block.groups) {
      const { rowNodes, columnNodes, groups } = block;
      const { largest } = blockPattern(block);
      const ends = { rows: toLocal(rowNodes), columns: toLocal(columnNodes) };
      pieces[home]!.push({ weights, groups, largest, ...ends });
      continue;
    }
    for (let group = 0; group < block.groups; group++) {
      const whole = { ...groupPiece(block, weights, group) };
      if (block.groups === 1) whole.largest = blockPattern(block).largest;
      const parts = home === null ? cut(whole, components.of) : [[home, whole] as const];
      for (const [component, piece] of parts) {
        pieces[component]!.push({
          ...piece,
          rows: toLocal(piece.rows),
          columns: toLocal(piece.columns),
        });
      }
    }
  }
  return pieces.flatMap((own, component) => {
    const scale = scaleOf(own);
    if (scale === undefined) return [];
    const size = nodes[component]!.length;
    const sides = sidesOf(own, size);
    const parts = own.map(partOf);
    const apply = operatorOf(parts, { size, scale, isRough: false });
    const rough =
      sides !== null && own.some(isForKernel) && roughScales(scale)
        ? { apply: operatorOf(parts, { size, scale, isRough: true }), error: roughError }
        : null;
    return [{ nodes: nodes[component]!, sides, scale, apply, rough }];
  });
}

type Weights = NonNullable<Block["weights"]>;

/** The component that holds every node of the block, or null. */
function commonComponent({ rowNodes, columnNodes }: Block, componentOf: Int32Array): number | null {
  const first = componentOf[rowNodes[0]!]!;
  for (const nodes of [rowNodes, columnNodes]) {
    for (let i = 0; i < nodes.length; i++) if (componentOf[nodes[i]!] !== first) return null;
  }
  return first;
}

/** Weights of any sign, [groups, rows.length / groups, columns.length / groups]. */
interface Piece {
  readonly weights: Weights;
  /** One where absent. */
  readonly groups?: number;
  /** The largest magnitude, where it is known. */
  largest?: number;
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
  for (const { weights, largest: own } of pieces) {
    if (own === undefined) {
      for (let i = 0; i < weights.length; i++) largest = Math.max(largest, Math.abs(weights[i]!));
    } else {
      largest = Math.max(largest, own);
    }
  }
  if (largest === 0) return undefined;
  // Beyond 2^±1000 the reciprocal leaves float64.
  return 2 ** -Math.min(1000, Math.max(-1000, Math.floor(Math.log2(largest))));
}

/** Sides by whole pieces, rows against columns; null if one would have to be against itself. */
function sidesOf(pieces: readonly Piece[], count: number): Uint8Array | null {
  const unknown = 2;
  const sides = new Uint8Array(count).fill(unknown);
  const known = (nodes: Int32Array): number => {
    for (let i = 0; i < nodes.length; i++) {
      if (sides[nodes[i]!] !== unknown) return sides[nodes[i]!]!;
    }
    return unknown;
  };
  const settle = (nodes: Int32Array, side: number): boolean => {
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i]!;
      if (sides[node] === unknown) sides[node] = side;
      if (sides[node] !== side) return false;
    }
    return true;
  };
  for (let left = [...pieces], first = true; left.length > 0; first = false) {
    // The component is connected, so that some piece always touches what is known already.
    const next = left.filter(({ rows, columns }) => {
      const [ofRows, ofColumns] = [known(rows), known(columns)];
      return ofRows !== unknown || ofColumns !== unknown;
    });
    for (const { rows, columns } of first ? left.slice(0, 1) : next) {
      const ofRows = known(rows);
      const side = ofRows !== unknown ? ofRows : 1 - (known(columns) % 2);
      if (!settle(rows, side) || !settle(columns, 1 - side)) return null;
    }
    left = first ? left.slice(1) : left.filter((piece) => !next.includes(piece));
  }
  return sides;
}

/** A piece and the entries of vectors that belong to it. */
interface Part {
  readonly piece: Piece;
  readonly rows: Ends;
  readonly columns: Ends;
}

function partOf(piece: Piece): Part {
  return { piece, rows: endsOf(piece.rows), columns: endsOf(piece.columns) };
}

interface Operation {
  readonly size: number;
  readonly scale: number;
  readonly isRough: boolean;
}

function operatorOf(
  parts: readonly Part[],
  { size, scale, isRough }: Operation,
): SymmetricOperator {
  const scaled = new Float64Array(size);
  return (x, y) => {
    y.fill(0);
    for (let i = 0; i < size; i++) scaled[i] = x[i]! * scale;
    for (const { piece, rows, columns } of parts) {
      const vectors = {
        x: rows.values(scaled),
        u: columns.values(scaled),
        forRows: rows.sums(y),
        forColumns: columns.sums(y),
      };
      multiply(piece, vectors, { isRough });
      rows.add(y);
      columns.add(y);
    }
  };
}

/** The entries of a component's vector that belong to one side of a piece. */
interface Ends {
  readonly values: (vector: Float64Array) => Float64Array;
  /** Where to add what the side gets; `add` brings it to its place in `vector`. */
  readonly sums: (vector: Float64Array) => Float64Array;
  readonly add: (vector: Float64Array) => void;
}

function endsOf(nodes: Int32Array): Ends {
  const first = nodes[0]!;
  const count = nodes.length;
  let along = 0;
  while (along < count && nodes[along] === first + along) along++;
  // Most sides are a run of neurons, and need no copy.
  if (along === count) {
    const own = (vector: Float64Array): Float64Array => vector.subarray(first, first + count);
    return { values: own, sums: own, add: () => undefined };
  }
  const values = new Float64Array(count);
  const sums = new Float64Array(count);
  return {
    values(vector) {
      for (let i = 0; i < count; i++) values[i] = vector[nodes[i]!]!;
      return values;
    },
    sums: () => sums.fill(0),
    add(vector) {
      for (let i = 0; i < count; i++) vector[nodes[i]!]! += sums[i]!;
    },
  };
}

/** A call into the kernels costs as much as so many weights. */
const leastWeights = 2 ** 11;

function isForKernel({ weights, groups = 1 }: Piece): boolean {
  return groups === 1 && weights.length >= leastWeights && arenaOf(weights) !== null;
}

/** Weights as large as 2^60, or as small, leave room in float32 for products and their sums. */
function roughScales(scale: number): boolean {
  return scale <= 2 ** 60 && scale >= 2 ** -60;
}

function multiply(piece: Piece, vectors: TwoProducts, options: ProductOptions): void {
  const { weights, groups = 1, rows, columns } = piece;
  const arena = isForKernel(piece) ? arenaOf(weights) : null;
  if (arena !== null && weights instanceof Float32Array) {
    const matrix = { arena, weights, rows: rows.length, columns: columns.length };
    if (arenaProducts(matrix, vectors, options)) return;
  }
  plainProducts(weights, vectors, groups);
}
