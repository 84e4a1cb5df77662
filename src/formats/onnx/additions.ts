/**
 * What is added to the outputs of a weight layer, and what normalises them, before anything else reads them: a bias, then a batch
 * normalisation, with nothing between.
 */
import { carriesNeurons, type Activation } from "./activation.ts";
import type { Constant } from "./constant.ts";
import type { BatchNormalisation, LayerAdditions } from "./layerAdditions.ts";
import { constantAt, type Call } from "./operator.ts";

interface AdditionStep {
  readonly call: Call;
  readonly made: Activation;
  /** Numbers of the weight layers that the operator placed. */
  readonly added: readonly number[];
  /** Operators that read the output. */
  readonly readers: number;
}

export interface AdditionTrace {
  follow(step: AdditionStep): void;
  /** By number of the weight layer. */
  readonly found: ReadonlyMap<number, LayerAdditions>;
}

/** An output that holds what one layer puts out, and nothing was done to it that is not linear. */
interface Trail {
  readonly index: number;
  readonly isBiased: boolean;
  readonly isOnly: boolean;
}

export function additionTrace(): AdditionTrace {
  const found = new Map<number, LayerAdditions>();
  const trails = new WeakMap<Activation, Trail>();
  const trailAt = ({ inputs }: Call, at: number): Trail | undefined => {
    const input = inputs[at];
    const trail = input?.kind === "activation" ? trails.get(input) : undefined;
    return trail?.isOnly === true ? trail : undefined;
  };
  return {
    found,
    follow({ call, made, added, readers }) {
      const { opType, domain } = call.node;
      if (domain !== "" && domain !== "ai.onnx") return;
      const isOnly = readers === 1;
      const [index] = added;
      if (added.length === 1 && /^(Conv|ConvTranspose|Gemm|MatMul)$/.test(opType)) {
        const bias = ownBias(call, made);
        found.set(index!, bias === undefined ? {} : { bias });
        if (bias !== undefined)
          trails.set(made, { index: index!, isBiased: bias !== null, isOnly });
      } else if (opType === "Add") {
        for (const [at, other] of [
          [0, 1],
          [1, 0],
        ] as const) {
          const trail = trailAt(call, at);
          const bias = constantAt(call, other);
          if (trail === undefined || bias === null || trail.isBiased || !isAlong(bias, made))
            continue;
          found.get(trail.index)!.bias = bias;
          trails.set(made, { ...trail, isBiased: true, isOnly });
        }
      } else if (opType === "BatchNormalization") {
        const trail = trailAt(call, 0);
        const normalisation = batchNormalisation(call, made);
        if (trail !== undefined && normalisation !== null) {
          found.get(trail.index)!.normalisation = normalisation;
        }
      }
    },
  };
}

/** Undefined where it is not known: not constant, scaled, or not one number per neuron. */
function ownBias(call: Call, made: Activation): Constant | null | undefined {
  const { opType } = call.node;
  if (opType === "MatMul" || call.inputs[2] === undefined) return null;
  const bias = constantAt(call, 2);
  if (bias === null) return undefined;
  if (opType === "Gemm") {
    return call.node.float("beta", 1) === 1 && isAlong(bias, made) ? bias : undefined;
  }
  return bias.shape.length === 1 && bias.shape[0] === made.ids?.length ? bias : undefined;
}

function batchNormalisation(call: Call, made: Activation): BatchNormalisation | null {
  const [scale, shift, mean, variance] = [1, 2, 3, 4].map((at) => constantAt(call, at));
  if (!scale || !shift || !mean || !variance) return null;
  const isFit = [scale, shift, mean, variance].every(
    ({ shape }) => shape.length === 1 && shape[0] === made.ids?.length,
  );
  if (!isFit || made.axes?.findIndex(carriesNeurons) !== 1) return null;
  return { scale, shift, mean, variance, epsilon: call.node.float("epsilon", 1e-5) };
}

/** True for one number per neuron, broadcast along the axis of the neurons and no other. */
function isAlong({ shape }: Constant, { axes, ids }: Activation): boolean {
  if (axes === null || ids === null) return false;
  const at = axes.findIndex(carriesNeurons);
  const own = shape.length - (axes.length - at);
  return shape.every((size, axis) => size === (axis === own ? ids.length : 1)) && own >= 0;
}
