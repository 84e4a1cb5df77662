/** Operations that take each element, or each channel, by itself. */
import type { Tensor } from "../../ir.ts";
import type { Task } from "./fuse.ts";
import { blocksOf, type ProcedurePlan } from "./plan.ts";

/** One input, in whichever order it lies. A zero must give a zero, as with relu and tanh. */
export function unary(kernel: "relu" | "tanh") {
  return (plan: ProcedurePlan, { node }: Task): void => {
    const [x] = node.inputs as [Tensor];
    const [y] = node.outputs as [Tensor];
    const inLanes = plan.isInLanes(x);
    const from = inLanes ? plan.lanes(x) : plan.plain(x);
    const to = inLanes ? plan.makeLanes(y, plan.isClean(x)) : plan.makePlain(y);
    const count = from.byteLength / 4;
    plan.emit(
      ({ kernels }) =>
        () =>
          kernels[kernel](to.address, from.address, count),
    );
  };
}

/** Two inputs of one shape, in lane order if either lies so. Two zeros must give a zero. */
export function binary(kernel: "add" | "multiply" | "reluGradient" | "tanhGradient") {
  return (plan: ProcedurePlan, { node }: Task): void => {
    const [a, b] = node.inputs as [Tensor, Tensor];
    const [y] = node.outputs as [Tensor];
    const inLanes = plan.isInLanes(a) || plan.isInLanes(b);
    const left = inLanes ? plan.lanes(a) : plan.plain(a);
    const right = inLanes ? plan.lanes(b) : plan.plain(b);
    const decides = kernel === "add" || kernel === "multiply" ? [a, b] : [a];
    const clean = decides.every((tensor) => plan.isClean(tensor));
    const to = inLanes ? plan.makeLanes(y, clean) : plan.makePlain(y);
    const count = left.byteLength / 4;
    plan.emit(
      ({ kernels }) =>
        () =>
          kernels[kernel](to.address, left.address, right.address, count),
    );
  };
}

export function addBias(plan: ProcedurePlan, { node, relu, outputs }: Task): void {
  const [x, bias] = node.inputs as [Tensor, Tensor];
  const from = plan.lanes(x);
  const shift = plan.plain(bias);
  const to = plan.makeLanes(outputs[0]!, false);
  const [, rows = 1] = bias.shape;
  const { members, blocks, blockBytes } = blocksOf(x);
  const floor = relu ? 0 : -Infinity;
  plan.emit(({ kernels }) => () => {
    for (let block = 0; block < members * blocks; block++) {
      const at = block * blockBytes;
      const row = shift.address + Math.floor(block / blocks) * rows * 4;
      const rowCount = blockBytes / 4 / rows;
      kernels.addBias(to.address + at, from.address + at, row, rows, rowCount, floor);
    }
  });
}

export function fill(plan: ProcedurePlan, { node }: Task): void {
  const to = plan.makePlain(node.outputs[0]!);
  const value = node.attributes["value"] as number;
  plan.emit(
    ({ kernels }) =>
      () =>
        kernels.fill(to.address, value, to.byteLength / 4),
  );
}

/** Costs nothing: the output lies where the input lies. */
export function reshape(plan: ProcedurePlan, { node }: Task): void {
  plan.alias(node.outputs[0]!, node.inputs[0]!);
}
