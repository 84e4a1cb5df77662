/** From a list of layers to a plan that knows every shape and parameter, and can write itself as operations. */
import type { Shape } from "../tensor/shape.ts";
import type { Scope, Tensor } from "./ir.ts";
import type { LayerOptions, LayerPlan, ParameterPlan } from "./layers/layer.ts";
import { layers } from "./layers/layers.ts";

/** One layer of an architecture: the name of a registered layer and its options. */
export type LayerSpec = LayerOptions & { readonly layer: string };

/** A network as data: it goes into manifests and comes back. */
export interface Architecture {
  readonly name: string;
  /** Of one sample: [C, H, W]. */
  readonly inputShape: Shape;
  /** In order; a layer's place is its name, as in PyTorch's Sequential. */
  readonly layers: readonly LayerSpec[];
}

export interface NetworkLayer {
  readonly name: string;
  readonly spec: LayerSpec;
  readonly inputShape: Shape;
  readonly plan: LayerPlan;
}

export interface Network {
  readonly architecture: Architecture;
  readonly layers: readonly NetworkLayer[];
  /** All parameters in order, by their full names: `0.weight`, `0.bias`, `3.weight`. */
  readonly parameters: readonly ParameterPlan[];
  /** Of one sample. */
  readonly outputShape: Shape;
  /** Writes the network's operations: x [P or 1, B, …inputShape], a tensor [P, …] per parameter, to [P, B, …outputShape]. */
  forward(scope: Scope, x: Tensor, parameters: readonly Tensor[]): Tensor;
}

/** @throws {UsageError} `USAGE_UNKNOWN_PART`, `USAGE_INVALID_OPTION`. @throws {ShapeError} `SHAPE_MISMATCH`. */
export function planNetwork(architecture: Architecture): Network {
  let shape = architecture.inputShape;
  const planned = architecture.layers.map((spec, place): NetworkLayer => {
    const plan = layers.get(spec.layer).plan(shape, spec);
    const inputShape = shape;
    shape = plan.outputShape;
    return { name: String(place), spec, inputShape, plan };
  });
  return {
    architecture,
    layers: planned,
    parameters: planned.flatMap(({ name, plan }) =>
      plan.parameters.map((parameter) => ({ ...parameter, name: `${name}.${parameter.name}` })),
    ),
    outputShape: shape,
    forward(scope, x, parameters) {
      let at = 0;
      let carried = x;
      for (const { plan } of planned) {
        const own = parameters.slice(at, at + plan.parameters.length);
        carried = plan.apply(scope, carried, own);
        at += own.length;
      }
      return carried;
    },
  };
}
