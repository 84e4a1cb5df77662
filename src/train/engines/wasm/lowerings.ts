/** How each operation becomes a step. One without a kernel of its own runs as its file defines it, on plain buffers. */
import type { Buffer, Tensor } from "../../ir.ts";
import { elementCount } from "../../../tensor/shape.ts";
import type { Task } from "./fuse.ts";
import { softmaxCrossEntropy, softmaxCrossEntropyInput } from "./loss.ts";
import type { ProcedurePlan } from "./plan.ts";
import { addBias, binary, fill, reshape, unary } from "./pointwise.ts";
import { maxPool2d, maxPool2dInput } from "./pooling.ts";
import { conv2d, conv2dInput, dense, denseInput } from "./products.ts";
import type { Region } from "./regions.ts";
import { adamUpdate, sgdUpdate } from "./updates.ts";
import { conv2dWeight, denseWeight, sumToBias } from "./weightGradients.ts";

/** Writes the step of a task whose node is of one operation. */
type Lowering = (plan: ProcedurePlan, task: Task) => void;

const lowerings: ReadonlyMap<string, Lowering> = new Map(
  Object.entries({
    add: binary("add"),
    adamUpdate,
    addBias,
    conv2d,
    conv2dInput,
    conv2dWeight,
    dense,
    denseInput,
    denseWeight,
    fill,
    maxPool2d,
    maxPool2dInput,
    multiply: binary("multiply"),
    relu: unary("relu"),
    reluInput: binary("reluGradient"),
    reshape,
    sgdUpdate,
    softmaxCrossEntropy,
    softmaxCrossEntropyInput,
    sumToBias,
    tanh: unary("tanh"),
    tanhInput: binary("tanhGradient"),
  }),
);

export function lower(plan: ProcedurePlan, task: Task): void {
  (lowerings.get(task.node.operation.name) ?? evaluate)(plan, task);
}

function evaluate(plan: ProcedurePlan, { node }: Task): void {
  const { operation, inputs, outputs } = node;
  const sources = inputs.map((tensor) => plan.plain(tensor));
  const targets = outputs.map((tensor, i) => {
    const shared = operation.sharing?.[i] ?? null;
    if (shared === null) return plan.makePlain(tensor);
    plan.overwrite(tensor, inputs[shared]!);
    return plan.plain(tensor);
  });
  plan.emit(({ buffer }) => {
    const given = inputs.map((tensor, i) => view(buffer, sources[i]!, tensor));
    const made = outputs.map((tensor, i) => view(buffer, targets[i]!, tensor));
    return () => operation.evaluate(node, given, made);
  });
}

/** A tensor that lies in plain order, as an array. */
export function view(buffer: ArrayBuffer, { address }: Region, { shape, kind }: Tensor): Buffer {
  const count = elementCount(shape);
  return kind === "index"
    ? new Int32Array(buffer, address, count)
    : new Float32Array(buffer, address, count);
}
