/** Convolutions of all shapes against the definition, one sum after the other in float64. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  backwardTables,
  correlateTaps,
  forwardTables,
  type ContractTables,
  type Convolution,
  type ConvolutionAxis,
} from "../../src/kernels/taps.ts";
import { createRandom } from "../../src/random.ts";
import { draw, relativeGap, workbench, type Workbench } from "./workbench.ts";

/** Sums of at most some thousand products of size 1, each rounded in float32: n ε / 2 = 1e-4 at worst, 1e-6 in practice. */
const tolerance = 5e-6;

const axis = fc
  .record({
    size: fc.integer({ min: 1, max: 9 }),
    kernel: fc.integer({ min: 1, max: 5 }),
    stride: fc.integer({ min: 1, max: 3 }),
    padding: fc.integer({ min: 0, max: 3 }),
  })
  .filter(({ size, kernel, padding }) => size + 2 * padding >= kernel)
  .map((given): ConvolutionAxis => ({
    ...given,
    outputs: Math.floor((given.size + 2 * given.padding - given.kernel) / given.stride) + 1,
  }));
const convolution: fc.Arbitrary<Convolution> = fc.record({
  channels: fc.integer({ min: 1, max: 6 }),
  filters: fc.integer({ min: 1, max: 9 }),
  y: axis,
  x: axis,
});
const seed = fc.integer({ min: 0, max: 1e6 });

test("contract with forward tables is a convolution with bias, raised to the floor", async () => {
  await onBench((bench) => {
    fc.assert(
      fc.property(convolution, seed, fc.constantFrom(0, -Infinity), (shape, start, floor) => {
        const { image, weight, bias, sizes } = drawOperands(shape, start);
        const wanted = new Float64Array(sizes.output);
        eachProduct(shape, (x, w, y, lane) => {
          wanted[y * 8 + lane]! += weight[w]! * image[x * 8 + lane]!;
        });
        const places = shape.y.outputs * shape.x.outputs;
        const raised = wanted.map((sum, i) =>
          Math.max(sum + bias[Math.floor(i / 8 / places)]!, floor),
        );
        const tiles = packed(bench, weight, shape, "forward");
        const got = contract(bench, forwardTables(shape), {
          x: image,
          tiles,
          bias: bench.put(bias),
          rows: shape.filters,
          count: sizes.output,
          taps: sizes.taps,
          floor,
        });
        expect(relativeGap(got, raised)).toBeLessThan(tolerance);
      }),
      { numRuns: 60 },
    );
  });
});

test("contract with backward tables is the gradient for the image", async () => {
  await onBench((bench) => {
    fc.assert(
      fc.property(convolution, seed, (shape, start) => {
        const { gradient, weight, sizes } = drawOperands(shape, start);
        const wanted = new Float64Array(sizes.image);
        eachProduct(shape, (x, w, y, lane) => {
          wanted[x * 8 + lane]! += weight[w]! * gradient[y * 8 + lane]!;
        });
        const got = contract(bench, backwardTables(shape), {
          x: gradient,
          tiles: packed(bench, weight, shape, "backward"),
          bias: 0,
          rows: shape.channels,
          count: sizes.image,
          taps: (sizes.taps / shape.channels) * shape.filters,
          floor: -Infinity,
        });
        expect(relativeGap(got, wanted)).toBeLessThan(tolerance);
      }),
      { numRuns: 60 },
    );
  });
});

test("correlate adds the gradient for the weights, over two blocks", async () => {
  await onBench((bench) => {
    fc.assert(
      fc.property(convolution, seed, (padded, start) => {
        // correlate takes images that carry their padding already
        const shape = { ...padded, y: withoutPadding(padded.y), x: withoutPadding(padded.x) };
        const { sizes } = drawOperands(shape, start);
        const random = createRandom(start);
        const images = draw(random, 2 * sizes.image);
        const gradients = draw(random, 2 * sizes.output);
        const before = draw(random, sizes.weight);
        const wanted = Float64Array.from(before);
        eachProduct(shape, (x, w, y, lane) => {
          for (const block of [0, 1]) {
            const g = gradients[block * sizes.output + y * 8 + lane]!;
            wanted[w]! += g * images[block * sizes.image + x * 8 + lane]!;
          }
        });
        const taps = bench.putIntegers(correlateTaps(shape));
        const [to, dy, x] = [bench.put(before), bench.put(gradients), bench.put(images)];
        const { kernels } = bench;
        const [dyRow, xRow] = [shape.x.outputs * 32, shape.x.size * shape.y.stride * 32];
        const columns: readonly [number, number, number, number] =
          shape.x.stride === 1 ? [1, 0, 0, dyRow] : [shape.x.outputs, 32, shape.x.stride * 32, 32];
        for (const block of [0, 1]) {
          kernels.correlate(
            to,
            dy + block * sizes.output * 4,
            x + block * sizes.image * 4,
            taps,
            sizes.taps,
            shape.filters,
            (sizes.output / shape.filters) * 4,
            shape.y.outputs,
            dyRow,
            xRow,
            ...columns,
          );
        }
        expect(relativeGap(bench.floats(to, sizes.weight), wanted)).toBeLessThan(tolerance);
        expect(bench.floats(to + sizes.weight * 4, 1)[0]).toBeNaN();
      }),
      { numRuns: 60 },
    );
  });
});

test("correlate takes all blocks of a dense layer at once", async () => {
  const extent = fc.integer({ min: 1, max: 13 });
  await onBench((bench) => {
    fc.assert(
      fc.property(extent, extent, extent, seed, (blocks, inputs, outputs, start) => {
        const random = createRandom(start);
        const x = draw(random, blocks * inputs * 8);
        const dy = draw(random, blocks * outputs * 8);
        const wanted = new Float64Array(outputs * inputs);
        for (let at = 0; at < outputs * inputs * blocks * 8; at++) {
          const lane = at % 8;
          const block = Math.floor(at / 8) % blocks;
          const weight = Math.floor(at / 8 / blocks);
          const [output, input] = [Math.floor(weight / inputs), weight % inputs];
          const g = dy[(block * outputs + output) * 8 + lane]!;
          wanted[weight]! += g * x[(block * inputs + input) * 8 + lane]!;
        }
        const pixel = { size: 1, kernel: 1, stride: 1, padding: 0, outputs: 1 };
        const shape = { channels: inputs, filters: outputs, y: pixel, x: pixel };
        const taps = bench.putIntegers(correlateTaps(shape));
        const to = bench.put(new Float32Array(wanted.length));
        const [from, images] = [bench.put(dy), bench.put(x)];
        const grid = [1, 0, 0, blocks, outputs * 32, inputs * 32, 32] as const;
        bench.kernels.correlate(to, from, images, taps, inputs, outputs, 32, ...grid);
        expect(relativeGap(bench.floats(to, wanted.length), wanted)).toBeLessThan(tolerance);
      }),
      { numRuns: 40 },
    );
  });
});

/** Every (pixel, weight, output, lane) that belong together. */
function eachProduct(
  { channels, filters, y, x }: Convolution,
  visit: (image: number, weight: number, output: number, lane: number) => void,
): void {
  const sizes = [filters, y.outputs, x.outputs, channels, y.kernel, x.kernel, 8];
  const total = sizes.reduce((product, size) => product * size, 1);
  for (let at = 0; at < total; at++) {
    let rest = at;
    const take = (size: number): number => {
      const digit = rest % size;
      rest = Math.floor(rest / size);
      return digit;
    };
    const [lane, kx, ky, channel, ox, oy, filter] = sizes.toReversed().map(take) as Seven;
    const iy = oy * y.stride - y.padding + ky;
    const ix = ox * x.stride - x.padding + kx;
    if (iy < 0 || iy >= y.size || ix < 0 || ix >= x.size) continue;
    visit(
      (channel * y.size + iy) * x.size + ix,
      ((filter * channels + channel) * y.kernel + ky) * x.kernel + kx,
      (filter * y.outputs + oy) * x.outputs + ox,
      lane,
    );
  }
}
type Seven = [number, number, number, number, number, number, number];

function drawOperands(shape: Convolution, start: number) {
  const { channels, filters, y, x } = shape;
  const taps = channels * y.kernel * x.kernel;
  const sizes = {
    taps,
    image: channels * y.size * x.size * 8,
    output: filters * y.outputs * x.outputs * 8,
    weight: filters * taps,
  };
  const random = createRandom(start);
  return {
    sizes,
    image: draw(random, sizes.image),
    gradient: draw(random, sizes.output),
    weight: draw(random, sizes.weight),
    bias: draw(random, filters),
  };
}

function packed(
  bench: Workbench,
  weight: Float32Array,
  { channels, filters, y, x }: Convolution,
  direction: "forward" | "backward",
): number {
  const area = y.kernel * x.kernel;
  const from = bench.put(weight);
  const rows = direction === "forward" ? filters : channels;
  const to = bench.space(Math.ceil(rows / 4) * 4 * (weight.length / rows));
  if (direction === "forward") {
    bench.kernels.packTiles(to, from, filters, 1, channels * area, channels * area, 0, 1);
  } else {
    bench.kernels.packTiles(to, from, channels, filters, area, area, channels * area, 1);
  }
  return to;
}

interface Contraction {
  readonly x: Float32Array;
  readonly tiles: number;
  readonly bias: number;
  readonly rows: number;
  readonly count: number;
  readonly taps: number;
  readonly floor: number;
}

function contract(
  bench: Workbench,
  { positions, taps }: ContractTables,
  given: Contraction,
): Float32Array {
  const { x, tiles, bias, rows, count, floor } = given;
  const y = bench.space(count);
  bench.kernels.contract(
    y,
    bench.put(x),
    tiles,
    bias,
    bench.putIntegers(positions),
    positions.length / 4,
    bench.putIntegers(taps),
    rows,
    (count / rows) * 4,
    given.taps * 16,
    floor,
  );
  expect(bench.floats(y + count * 4, 1)[0]).toBeNaN();
  return bench.floats(y, count);
}

function withoutPadding({ size, padding, ...rest }: ConvolutionAxis): ConvolutionAxis {
  return { ...rest, size: size + 2 * padding, padding: 0 };
}

async function onBench(body: (bench: Workbench) => void): Promise<void> {
  const bench = await workbench(2 ** 26);
  body(bench);
  bench.release();
}
