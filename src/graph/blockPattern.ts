/** Which edges of a block are there at all: those of non-zero weight, and what they join. */
import { arenaOf } from "../kernels/weightArena.ts";
import { edgeWeights, type Block, type BlockPattern } from "./block.ts";

const known = new WeakMap<Block, BlockPattern>();

/** Cost: one read of the weights the first time; more where some are zero. */
export function blockPattern(block: Block): BlockPattern {
  const own = block.pattern ?? known.get(block) ?? patternOf(block);
  known.set(block, own);
  return own;
}

function patternOf(block: Block): BlockPattern {
  const { weights, taps } = block;
  const edges = taps === 1 && weights !== null ? weights : edgeWeights(block, "norm");
  const { zeros, largest } = scanWeights(edges);
  const parts = zeros === 0 ? partsByGroup(block) : partsByWeight(block, edges);
  return { nonZero: edges.length - zeros, largest, parts };
}

/** Where no weight is zero: each member goes by the first row of its group. */
function partsByGroup({ rows, columns, groups }: Block): Int32Array {
  const [height, width] = [rows / groups, columns / groups];
  const parts = new Int32Array(rows + columns);
  for (let group = 0; group < groups; group++) {
    parts.fill(group * height, group * height, (group + 1) * height);
    parts.fill(group * height, rows + group * width, rows + (group + 1) * width);
  }
  return parts;
}

function partsByWeight({ rows, columns, groups }: Block, edges: Weights): Int32Array {
  const joining = joinedParts(rows + columns);
  const [height, width] = [rows / groups, columns / groups];
  for (let group = 0; group < groups; group++) {
    const first = group * height * width;
    const own = edges.subarray(first, first + height * width);
    const place = { row: group * height, height, column: rows + group * width, width };
    joinNonZero(joining, own, place);
  }
  return joining.parts();
}

interface Weights extends ArrayLike<number> {
  subarray(start: number, end: number): Weights;
}

/** Joins the rows and columns of a matrix that non-zero weights join; at once where there is no zero among them. */
export function joinMatrix(
  joining: Joining,
  weights: Weights,
  { place, isComplete }: { readonly place: Rectangle; readonly isComplete: boolean },
): void {
  if (isComplete) joinAll(joining, place);
  else joinNonZero(joining, weights, place);
}

/** How many weights are zero, and the largest magnitude. */
export function scanWeights(weights: NonNullable<Block["weights"]>): {
  zeros: number;
  largest: number;
} {
  const arena = arenaOf(weights);
  if (arena !== null) {
    arena.kernels.scan(weights.byteOffset, weights.length, arena.scratch);
    const [zeros = 0, largest = 0] = new Float64Array(arena.buffer, arena.scratch, 2);
    return { zeros, largest };
  }
  let zeros = 0;
  let largest = 0;
  for (let i = 0; i < weights.length; i++) {
    const magnitude = Math.abs(weights[i]!);
    if (magnitude === 0) zeros++;
    else if (magnitude > largest) largest = magnitude;
  }
  return { zeros, largest };
}

/** Numbers of the first row and the first column among what is joined, and how many there are. */
interface Rectangle {
  readonly row: number;
  readonly height: number;
  readonly column: number;
  readonly width: number;
}

function joinAll({ join }: Joining, { row, height, column, width }: Rectangle): void {
  for (let i = 0; i < height; i++) join(row + i, column);
  for (let i = 0; i < width; i++) join(row, column + i);
}

/** Joins what non-zero weights join, and stops looking once all of it is one. */
function joinNonZero(joining: Joining, weights: Weights, place: Rectangle): void {
  const { join } = joining;
  const { row, height, column, width } = place;
  let apart = partsWithin(joining, place) - 1;
  for (let r = 0, at = 0; r < height && apart > 0; r++) {
    for (let c = 0; c < width; c++, at++) {
      if (weights[at] !== 0 && join(row + r, column + c)) apart--;
    }
  }
}

/** Parts that the rows and columns of a rectangle belong to, by earlier joins. */
function partsWithin({ rootOf }: Joining, { row, height, column, width }: Rectangle): number {
  const roots = new Set<number>();
  for (let i = 0; i < height; i++) roots.add(rootOf(row + i));
  for (let i = 0; i < width; i++) roots.add(rootOf(column + i));
  return roots.size;
}

interface Joining {
  readonly rootOf: (member: number) => number;
  /** True if the two were apart before. */
  readonly join: (a: number, b: number) => boolean;
  readonly parts: () => Int32Array;
}

/** Union by number, with path halving: the smaller number stays, so that a part goes by its first member. */
export function joinedParts(count: number): Joining {
  const parent = new Int32Array(count);
  for (let i = 0; i < count; i++) parent[i] = i;
  const rootOf = (member: number): number => {
    let at = member;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!;
      at = parent[at]!;
    }
    return at;
  };
  return {
    rootOf,
    join(a, b) {
      const one = rootOf(a);
      const other = rootOf(b);
      if (one === other) return false;
      parent[Math.max(one, other)] = Math.min(one, other);
      return true;
    },
    parts() {
      const parts = new Int32Array(count);
      for (let member = 0; member < count; member++) parts[member] = rootOf(member);
      return parts;
    },
  };
}
