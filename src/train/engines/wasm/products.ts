/** Convolutions and dense layers, their way back to the input, and the gradients of weights and biases. */
import {
  backwardTables,
  correlateTaps,
  forwardTables,
  pixelBytes,
  type ContractTables,
  type Convolution,
  type ConvolutionAxis,
} from "../../../kernels/taps.ts";
import { numbers, type Node, type Tensor } from "../../ir.ts";
import type { Task } from "./fuse.ts";
import { blocksOf, type ProcedurePlan } from "./plan.ts";

const pixel: ConvolutionAxis = { size: 1, kernel: 1, stride: 1, padding: 0, outputs: 1 };

export function conv2d(plan: ProcedurePlan, task: Task): void {
  const [x, weight] = task.node.inputs as [Tensor, Tensor];
  const shape = convolution(task.node, x.shape, weight.shape, task.node.outputs[0]!.shape);
  contractForward(plan, task, shape);
}

export function conv2dInput(plan: ProcedurePlan, { node }: Task): void {
  const [g, weight] = node.inputs as [Tensor, Tensor];
  contractBackward(plan, node, convolution(node, node.outputs[0]!.shape, weight.shape, g.shape));
}

export function conv2dWeight(plan: ProcedurePlan, { node }: Task): void {
  const [g, x] = node.inputs as [Tensor, Tensor];
  correlateAll(plan, node, convolution(node, x.shape, node.outputs[0]!.shape, g.shape));
}

/** A dense layer is a convolution over an image of one pixel with a channel per input. */
export function dense(plan: ProcedurePlan, task: Task): void {
  const [, filters = 1, channels = 1] = task.node.inputs[1]!.shape;
  contractForward(plan, task, { channels, filters, y: pixel, x: pixel });
}

export function denseInput(plan: ProcedurePlan, { node }: Task): void {
  const [, filters = 1, channels = 1] = node.inputs[1]!.shape;
  contractBackward(plan, node, { channels, filters, y: pixel, x: pixel });
}

export function denseWeight(plan: ProcedurePlan, { node }: Task): void {
  const [, filters = 1, channels = 1] = node.outputs[0]!.shape;
  correlateAll(plan, node, { channels, filters, y: pixel, x: pixel });
}

export function sumToBias(plan: ProcedurePlan, { node }: Task): void {
  const [gradient] = node.inputs as [Tensor];
  const [sum] = node.outputs as [Tensor];
  const [members = 1, rows = 1] = sum.shape;
  const g = plan.lanes(gradient, true);
  const to = plan.makePlain(sum);
  const { blocks, blockBytes } = blocksOf(gradient);
  plan.emit(({ kernels }) => () => {
    kernels.fill(to.address, 0, members * rows);
    for (let block = 0; block < members * blocks; block++) {
      const bias = to.address + Math.floor(block / blocks) * rows * 4;
      kernels.sumRows(bias, g.address + block * blockBytes, rows, blockBytes / 4 / rows);
    }
  });
}

function convolution(
  { attributes }: Node,
  [, , channels = 1, ...image]: readonly number[],
  [, , , ...kernel]: readonly number[],
  [, , filters = 1, ...outputs]: readonly number[],
): Convolution {
  const stride = numbers(attributes, "stride", 2);
  const padding = numbers(attributes, "padding", 2);
  const axis = (i: 0 | 1): ConvolutionAxis => ({
    size: image[i]!,
    kernel: kernel[i]!,
    stride: stride[i]!,
    padding: padding[i]!,
    outputs: outputs[i]!,
  });
  return { channels, filters, y: axis(0), x: axis(1) };
}

function contractForward(
  plan: ProcedurePlan,
  { node, bias, relu, outputs }: Task,
  shape: Convolution,
): void {
  const [x, weight] = node.inputs as [Tensor, Tensor];
  const { channels, filters, y, x: across } = shape;
  const taps = channels * y.kernel * across.kernel;
  contractAll(plan, {
    direction: "forward",
    shape,
    x,
    weight,
    bias,
    floor: relu ? 0 : -Infinity,
    output: outputs[0]!,
    packing: [filters, 1, taps, taps, 0, 1],
  });
}

function contractBackward(plan: ProcedurePlan, node: Node, shape: Convolution): void {
  const [g, weight] = node.inputs as [Tensor, Tensor];
  const { channels, filters, y, x } = shape;
  const area = y.kernel * x.kernel;
  contractAll(plan, {
    direction: "backward",
    shape,
    x: g,
    weight,
    bias: null,
    floor: -Infinity,
    output: node.outputs[0]!,
    packing: [channels, filters, area, area, channels * area, 1],
  });
}

interface Contraction {
  readonly direction: "forward" | "backward";
  readonly shape: Convolution;
  readonly x: Tensor;
  /** [P, O, C, KH, KW] or [P, O, C]. */
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  readonly floor: number;
  readonly output: Tensor;
  /** For `packTiles`: rows, outer, inner and the strides of each. */
  readonly packing: readonly [
    rows: number,
    outer: number,
    inner: number,
    rowStride: number,
    outerStride: number,
    innerStride: number,
  ];
}

function contractAll(plan: ProcedurePlan, given: Contraction): void {
  const { direction, shape, packing, floor } = given;
  const [rows, outer, inner] = packing;
  const tables = tablesOf(plan, direction, shape);
  const x = plan.lanes(given.x);
  const weight = plan.plain(given.weight);
  const bias = given.bias === null ? null : plan.plain(given.bias);
  const clean = bias === null && plan.isClean(given.x);
  const y = plan.makeLanes(given.output, clean);
  const tileBytes = outer * inner * 16;
  const tiles = plan.scratch(Math.ceil(rows / 4) * tileBytes);
  const from = blocksOf(given.x);
  const to = blocksOf(given.output);
  const fromMemberBytes = from.members === to.members ? from.memberBytes : 0;
  const weightBytes = rows * outer * inner * 4;
  const rowBytes = to.blockBytes / rows;
  plan.emit(({ kernels }) => () => {
    for (let member = 0; member < to.members; member++) {
      kernels.packTiles(tiles.address, weight.address + member * weightBytes, ...packing);
      const shift = bias === null ? 0 : bias.address + member * rows * 4;
      for (let block = 0; block < to.blocks; block++) {
        kernels.contract(
          y.address + member * to.memberBytes + block * to.blockBytes,
          x.address + member * fromMemberBytes + block * from.blockBytes,
          tiles.address,
          shift,
          tables.positions.address,
          tables.positionCount,
          tables.taps.address,
          rows,
          rowBytes,
          tileBytes,
          floor,
        );
      }
    }
  });
}

/**
 * A convolution takes one block of images after the other, so that they stay in the cache and sums stay short; a dense layer all
 * blocks at once, since its sums over one block would be too short to be worth their ends.
 */
function correlateAll(plan: ProcedurePlan, { inputs, outputs }: Node, shape: Convolution): void {
  const [gradient, image] = inputs as [Tensor, Tensor];
  const { channels, filters, y, x } = shape;
  const taps = plan.table(`correlate ${JSON.stringify(shape)}`, () => correlateTaps(shape));
  const dy = plan.lanes(gradient, true);
  const from = plan.lanes(image);
  const to = plan.makePlain(outputs[0]!);
  const upper = blocksOf(gradient);
  const lower = blocksOf(image);
  const imageMemberBytes = lower.members === upper.members ? lower.memberBytes : 0;
  const height = y.size + 2 * y.padding;
  const width = x.size + 2 * x.padding;
  const isPadded = y.padding + x.padding > 0;
  const padded = isPadded ? plan.scratch(channels * height * width * pixelBytes) : null;
  const padding = [channels, y.size, x.size, height, width, y.padding, x.padding] as const;
  const tapCount = channels * y.kernel * x.kernel;
  const weightCount = filters * tapCount;
  const isDense = shape.y === pixel && shape.x === pixel;
  const together = isDense ? upper.blocks : 1;
  const grid: Grid = isDense
    ? [1, 0, 0, together, upper.blockBytes, lower.blockBytes, pixelBytes]
    : gridOf(shape, width);
  plan.emit(({ kernels }) => () => {
    kernels.fill(to.address, 0, upper.members * weightCount);
    if (padded !== null) kernels.fill(padded.address, 0, padded.byteLength / 4);
    for (let member = 0; member < upper.members; member++) {
      for (let block = 0; block < upper.blocks; block += together) {
        let source = from.address + member * imageMemberBytes + block * lower.blockBytes;
        if (padded !== null) {
          kernels.padPlanes(padded.address, source, ...padding);
          source = padded.address;
        }
        kernels.correlate(
          to.address + member * weightCount * 4,
          dy.address + member * upper.memberBytes + block * upper.blockBytes,
          source,
          taps.address,
          tapCount,
          filters,
          upper.blockBytes / filters,
          ...grid,
        );
      }
    }
  });
}

type Grid = readonly [
  outerCount: number,
  dyOuterBytes: number,
  xOuterBytes: number,
  innerCount: number,
  dyInnerBytes: number,
  xInnerBytes: number,
  runBytes: number,
];

/** The positions of one block: whole output rows are runs when the image is read without gaps. */
function gridOf({ y, x }: Convolution, width: number): Grid {
  const dyRow = x.outputs * pixelBytes;
  const xRow = y.stride * width * pixelBytes;
  return x.stride === 1
    ? [y.outputs, dyRow, xRow, 1, 0, 0, dyRow]
    : [y.outputs, dyRow, xRow, x.outputs, pixelBytes, x.stride * pixelBytes, pixelBytes];
}

const builders = { forward: forwardTables, backward: backwardTables };

/** The tables of a convolution for `contract`, built once per program. */
function tablesOf(plan: ProcedurePlan, direction: keyof typeof builders, shape: Convolution) {
  const name = `${direction} ${JSON.stringify(shape)}`;
  let built: ContractTables | undefined;
  const build = (): ContractTables => (built ??= builders[direction](shape));
  const { y, x } = shape;
  return {
    positions: plan.table(`positions ${name}`, () => build().positions),
    taps: plan.table(`taps ${name}`, () => build().taps),
    positionCount: direction === "backward" ? y.size * x.size : y.outputs * x.outputs,
  };
}
