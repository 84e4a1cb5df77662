/**
 * A pass of PA rewiring by a kernel, over float32 weights: the same bytes as the plain way of `rewirePreferentially.ts`. The rows
 * or columns that are rewired pass through the kernel's memory a few at a time, so that a large matrix is neither copied nor
 * transposed.
 */
import { graphKernels, type GraphKernelInstance } from "../kernels/graphKernels.ts";
import type { Random } from "../random.ts";
import type { WeightMatrix } from "./weightMatrix.ts";

export interface KernelPass {
  readonly pass: "rows" | "columns";
  readonly method: "stochastic" | "deterministic";
  /** The rows or columns in the order of their visits. */
  readonly visits: Uint32Array;
  /** What to add to strengths, which are those gathered so far. */
  readonly shiftOf: (strengths: Float64Array) => number;
}

/**
 * Rewires in place and returns the sums of all rows (or of all columns, in the pass `columns`). Null, and nothing done, where the
 * kernel does not serve: short or too long rows, no WebAssembly.
 */
export function rewireByKernel(
  matrix: WeightMatrix<Float32Array>,
  { pass, method, visits, shiftOf }: KernelPass,
  random: Random,
): Float64Array | null {
  const length = pass === "rows" ? matrix.columns : matrix.rows;
  if (length < leastLength || length > mostLength || visits.length < 3) return null;
  const place = placesFor(length);
  const instance = instanceOf(place.end);
  if (instance === null) return null;
  const { buffer } = instance.memory;
  const { rewireRow } = instance.kernels;
  const strengths = new Float64Array(buffer, place.strengths, length).fill(0);
  new Uint32Array(buffer, place.state, 4).set(random.state());
  const panel = new Float32Array(buffer, place.panel, panelRows * place.stride);
  const state = method === "stochastic" ? place.state : 0;
  const move = pass === "rows" ? moveRows : moveColumns;
  for (let first = 0; first < visits.length; first += panelRows) {
    const ids = visits.subarray(first, first + panelRows);
    move(matrix, { ids, panel, stride: place.stride }, "in");
    for (let i = 0; i < ids.length; i++) {
      const row = i * place.stride;
      if (first + i === 0) {
        // Added, since no sum is -0.
        for (let at = 0; at < length; at++) strengths[at]! += panel[at]!;
      } else {
        rewireRow(
          place.panel + 4 * row,
          length,
          place.strengths,
          shiftOf(strengths),
          state,
          place.room,
        );
      }
    }
    move(matrix, { ids, panel, stride: place.stride }, "out");
  }
  return strengths.slice();
}

/** Shorter rows are as fast without. */
const leastLength = 16;
/** What the kernel's sort can number. */
const mostLength = 2 ** 21;
/** Rewired between two visits to the matrix: of a column, two cache lines. */
const panelRows = 32;

/** Addresses, and the floats from one row of the panel to the next: not a power of two, which would crowd one part of the cache. */
function placesFor(length: number): Readonly<Record<string, number>> & {
  readonly [name in "state" | "strengths" | "panel" | "stride" | "room" | "end"]: number;
} {
  const state = 64;
  const strengths = 128;
  const panel = strengths + 8 * (length + 8);
  const stride = Math.ceil(length / 16) * 16 + 16;
  const room = Math.ceil((panel + 4 * stride * panelRows) / 64) * 64;
  return { state, strengths, panel, stride, room, end: room + 24 * length + 64 + 16_384 };
}

/** The last one, so that layer after layer takes the same memory. */
let kept: GraphKernelInstance | null = null;

function instanceOf(byteLength: number): GraphKernelInstance | null {
  if (kept === null || kept.memory.buffer.byteLength < byteLength) kept = graphKernels(byteLength);
  return kept;
}

interface Panel {
  readonly ids: Uint32Array;
  readonly panel: Float32Array;
  readonly stride: number;
}

function moveRows(
  { weights, columns }: WeightMatrix<Float32Array>,
  { ids, panel, stride }: Panel,
  way: "in" | "out",
): void {
  for (let i = 0; i < ids.length; i++) {
    const outside = weights.subarray(ids[i]! * columns, (ids[i]! + 1) * columns);
    const inside = panel.subarray(i * stride, i * stride + columns);
    if (way === "in") inside.set(outside);
    else outside.set(inside);
  }
}

/** Rows that are passed over together: whole stretches of the panel, and lines of the matrix that stay in the nearest cache. */
const rowsAtOnce = 8;

function moveColumns(
  { weights, rows, columns }: WeightMatrix<Float32Array>,
  { ids, panel, stride }: Panel,
  way: "in" | "out",
): void {
  for (let row = 0; row < rows; row += rowsAtOnce) {
    const end = Math.min(row + rowsAtOnce, rows);
    for (let i = 0; i < ids.length; i++) {
      let inside = i * stride + row;
      let outside = row * columns + ids[i]!;
      if (way === "in") {
        for (let r = row; r < end; r++, inside++, outside += columns) {
          panel[inside] = weights[outside]!;
        }
      } else {
        for (let r = row; r < end; r++, inside++, outside += columns) {
          weights[outside] = panel[inside]!;
        }
      }
    }
  }
}
