/**
 * Where the blocks of a graph lie so that kernels can work on them in place: one memory for all, the weights first, room for
 * vectors behind them. A measure asks `arenaOf` whether a block's weights lie in one, and takes the plain way where they do not.
 */
import { graphKernels, type GraphKernels } from "./graphKernels.ts";
import { kernelThreads, type KernelThreads } from "./kernelThreads.ts";

export interface WeightArena {
  readonly kernels: GraphKernels;
  readonly buffer: ArrayBufferLike;
  /** Address of the room for vectors; nothing in it outlives the call that put it there. */
  readonly scratch: number;
  /** Bytes of that room: what is not written to takes no memory. */
  readonly scratchBytes: number;
  readonly threads: KernelThreads;
}

export interface ArenaOptions {
  /** Threads for large blocks, this one included. The answers are the same for any number. @defaultValue 1 */
  readonly threads?: number;
}

/** Arenas by their buffers: an array of weights leads to its own. */
const arenas = new WeakMap<ArrayBufferLike, WeightArena>();

/** Addresses below are the threads' own. */
const firstWeight = 65_536;
/** Smaller graphs are as fast without: a memory is made for each arena. */
const leastWeights = 2 ** 14;

/**
 * An array of `count` zeros for each of `counts`, in an arena where that is possible and worthwhile, else by itself.
 * `scratchBytes` is the room for vectors.
 */
export function allocateWeights(
  counts: readonly number[],
  scratchBytes: number,
  { threads = 1 }: ArenaOptions = {},
): Float32Array[] {
  const total = counts.reduce((sum, count) => sum + padded(count), 0);
  const instance =
    total < leastWeights ? null : graphKernels(firstWeight + 4 * total + scratchBytes);
  if (instance === null) return counts.map((count) => new Float32Array(count));
  const { buffer } = instance.memory;
  let at = firstWeight;
  const arrays = counts.map((count) => {
    const array = new Float32Array(buffer, at, count);
    at += 4 * padded(count);
    return array;
  });
  arenas.set(buffer, {
    kernels: instance.kernels,
    buffer,
    scratch: at,
    scratchBytes: buffer.byteLength - at,
    threads: kernelThreads(instance, threads),
  });
  return arrays;
}

/** Whole cache lines. */
function padded(count: number): number {
  return Math.ceil(count / 16) * 16;
}

/** The arena in which `weights` lie, or null. */
export function arenaOf(weights: Float32Array | Float64Array | null): WeightArena | null {
  return weights instanceof Float32Array ? (arenas.get(weights.buffer) ?? null) : null;
}
