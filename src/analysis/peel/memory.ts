/** The degrees of a peel, and a quick way to the least of them: in the memory of the kernels where there is one. */
import type { WeightArena } from "../../kernels/weightArena.ts";

export interface PeelMemory {
  /** [nodeCount, rounded up to 64]; infinite for nodes that have left or never took part. */
  readonly degrees: Float64Array;
  /** A degree below its margin has to be summed afresh: too much was taken from it. */
  readonly margins: Float64Array;
  /** The least degree of each 64 nodes, as of the last `settle`. */
  readonly minima: Float64Array;
  /**
   * Renews the minima of nodes [first, last), multiples of 64, and lists the nodes at `level` or below, or below their margin.
   * The list holds until the next call.
   */
  readonly settle: (first: number, last: number, level: number) => Int32Array;
  /** Null without kernels. */
  readonly kernelRoom: KernelRoom | null;
}

/** Room for vectors and lists beside the weights. */
export interface KernelRoom {
  readonly arena: WeightArena;
  /** Address of `byteLength` bytes, or null if that is too much. */
  readonly allocate: (byteLength: number) => number | null;
}

export const chunkNodes = 64;

export function peelMemory(nodeCount: number, arena: WeightArena | null): PeelMemory {
  const padded = Math.max(1, Math.ceil(nodeCount / chunkNodes)) * chunkNodes;
  const kernelMemory = arena === null ? null : ofKernels(padded, arena);
  const memory = kernelMemory ?? plain(padded);
  memory.degrees.fill(Infinity);
  memory.margins.fill(0);
  memory.minima.fill(Infinity);
  return memory;
}

function ofKernels(padded: number, arena: WeightArena): PeelMemory | null {
  const room = kernelRoom(arena);
  const [degrees, margins, minima, found] = [8, 8, 8 / chunkNodes, 4].map((bytes) =>
    room.allocate(bytes * padded),
  );
  if (degrees == null || margins == null || minima == null || found == null) return null;
  const { buffer, kernels } = arena;
  const list = new Int32Array(buffer, found, padded);
  return {
    degrees: new Float64Array(buffer, degrees, padded),
    margins: new Float64Array(buffer, margins, padded),
    minima: new Float64Array(buffer, minima, padded / chunkNodes),
    settle(first, last, level) {
      const count = kernels.settle(degrees, margins, minima, first, last, level, found);
      return list.subarray(0, count);
    },
    kernelRoom: room,
  };
}

function kernelRoom(arena: WeightArena): KernelRoom {
  let next = arena.scratch;
  const end = arena.scratch + arena.scratchBytes;
  return {
    arena,
    allocate(byteLength) {
      const padded = Math.ceil(byteLength / 64) * 64;
      if (next + padded > end) return null;
      next += padded;
      return next - padded;
    },
  };
}

function plain(padded: number): PeelMemory {
  const degrees = new Float64Array(padded);
  const margins = new Float64Array(padded);
  const minima = new Float64Array(padded / chunkNodes);
  const list = new Int32Array(padded);
  return {
    degrees,
    margins,
    minima,
    settle(first, last, level) {
      let count = 0;
      for (let chunk = first; chunk < last; chunk += chunkNodes) {
        let least = Infinity;
        for (let node = chunk; node < chunk + chunkNodes; node++) {
          const degree = degrees[node]!;
          if (degree < least) least = degree;
          if (degree <= level || degree < margins[node]!) list[count++] = node;
        }
        minima[chunk / chunkNodes] = least;
      }
      return list.subarray(0, count);
    },
    kernelRoom: null,
  };
}
