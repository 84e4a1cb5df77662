/** Gradients of weights and of biases: sums over the batch and over positions. */
import { correlateTaps, pixelBytes, type Convolution } from "../../../kernels/taps.ts";
import type { Node, Tensor } from "../../ir.ts";
import type { Task } from "./fuse.ts";
import { convolutionGeometry, denseGeometry, isDense } from "./geometry.ts";
import { blocksOf, type ProcedurePlan } from "./plan.ts";

export function conv2dWeight(plan: ProcedurePlan, { node }: Task): void {
  const [g, x] = node.inputs as [Tensor, Tensor];
  correlateAll(plan, node, convolutionGeometry(node, x.shape, node.outputs[0]!.shape, g.shape));
}

export function denseWeight(plan: ProcedurePlan, { node }: Task): void {
  correlateAll(plan, node, denseGeometry(node.outputs[0]!));
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
  const together = isDense(shape) ? upper.blocks : 1;
  const grid: Grid = isDense(shape)
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
