/** A memory with kernels on which tests lay out arrays, in the kernels' order of lanes and in the plain one. */
import { borrowKernels, type Kernels } from "../../src/kernels/load.ts";
import { createRandom, type Random } from "../../src/random.ts";

export interface Workbench {
  readonly kernels: Kernels;
  /** Copies values in and returns their address; `NaN`s surround them, so that a read past the end shows. */
  readonly put: (values: ArrayLike<number>) => number;
  readonly putIntegers: (values: ArrayLike<number>) => number;
  /** Room for `count` elements, filled with NaN. */
  readonly space: (count: number) => number;
  readonly floats: (address: number, count: number) => Float32Array;
  readonly integers: (address: number, count: number) => Int32Array;
  readonly release: () => void;
}

export async function workbench(byteLength: number = 2 ** 22): Promise<Workbench> {
  const { kernels, buffer, release } = await borrowKernels(byteLength);
  new Float32Array(buffer).fill(NaN);
  let next = 64;
  const take = (count: number): number => {
    const address = next;
    next = Math.ceil((next + count * 4 + 64) / 16) * 16;
    return address;
  };
  const bench: Workbench = {
    kernels,
    put(values) {
      const address = take(values.length);
      bench.floats(address, values.length).set(values);
      return address;
    },
    putIntegers(values) {
      const address = take(values.length);
      bench.integers(address, values.length).set(values);
      return address;
    },
    space: (count) => take(count),
    floats: (address, count) => new Float32Array(buffer, address, count),
    integers: (address, count) => new Int32Array(buffer, address, count),
    release,
  };
  return bench;
}

/** Runs `body` on a workbench of its own and gives the memory back. */
export async function withKernels(body: (bench: Workbench) => void): Promise<void> {
  const bench = await workbench();
  try {
    body(bench);
  } finally {
    bench.release();
  }
}

/** `[batch][features]` to `[blocks][features][8]`, by index arithmetic alone. */
export function inLanes(plain: ArrayLike<number>, batch: number, features: number): Float32Array {
  const lanes = new Float32Array(Math.ceil(batch / 8) * features * 8);
  for (let image = 0; image < batch; image++) {
    for (let i = 0; i < features; i++) {
      lanes[laneIndex(image, i, features)] = plain[image * features + i]!;
    }
  }
  return lanes;
}

export function fromLanes(lanes: ArrayLike<number>, batch: number, features: number): number[] {
  return Array.from({ length: batch * features }, (_, at) => {
    const image = Math.floor(at / features);
    return lanes[laneIndex(image, at % features, features)]!;
  });
}

function laneIndex(image: number, feature: number, features: number): number {
  return (Math.floor(image / 8) * features + feature) * 8 + (image % 8);
}

/** Numbers in [-1, 1), a fifth of them zero, as float32 holds them. */
export function draw(random: Random, count: number): Float32Array {
  return Float32Array.from({ length: count }, () =>
    random.uniform() < 0.2 ? 0 : 2 * random.uniform() - 1,
  );
}

export function drawFrom(seed: number, count: number): Float32Array {
  return draw(createRandom(seed), count);
}

/** The largest difference, relative to the largest value wanted. NaN if any value is NaN. */
export function relativeGap(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let gap = got.length === wanted.length ? 0 : NaN;
  let scale = 1e-6;
  for (let i = 0; i < wanted.length; i++) {
    const difference = Math.abs(got[i]! - wanted[i]!);
    gap = difference > gap || Number.isNaN(difference) ? difference : gap;
    scale = Math.max(scale, Math.abs(wanted[i]!));
  }
  return gap / scale;
}
