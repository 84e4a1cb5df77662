/** Convolutions and dense layers, and their way back to the input. */
import {
  backwardTables,
  forwardTables,
  type ContractTables,
  type Convolution,
} from "../../../kernels/taps.ts";
import type { Node, Tensor } from "../../ir.ts";
import type { Task } from "./fuse.ts";
import { convolutionGeometry, denseGeometry } from "./geometry.ts";
import { blocksOf, type ProcedurePlan } from "./plan.ts";

export function conv2d(plan: ProcedurePlan, task: Task): void {
  const [x, weight] = task.node.inputs as [Tensor, Tensor];
  const shape = convolutionGeometry(task.node, x.shape, weight.shape, task.node.outputs[0]!.shape);
  contractForward(plan, task, shape);
}

export function conv2dInput(plan: ProcedurePlan, { node }: Task): void {
  const [g, weight] = node.inputs as [Tensor, Tensor];
  contractBackward(
    plan,
    node,
    convolutionGeometry(node, node.outputs[0]!.shape, weight.shape, g.shape),
  );
}

export function dense(plan: ProcedurePlan, task: Task): void {
  contractForward(plan, task, denseGeometry(task.node.inputs[1]!));
}

export function denseInput(plan: ProcedurePlan, { node }: Task): void {
  contractBackward(plan, node, denseGeometry(node.inputs[1]!));
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
