/**
 * The layers and links of an unrolled graph, without its weights: a node per activation, that is per channel and position. What
 * a convolution puts out are nodes of its own, and so is what a pooling puts out; a residual sum makes one node of two.
 */
import { GraphError, ShapeError } from "../errors.ts";
import type { Model, WeightLayer } from "../model/model.ts";
import { elementCount, type Shape } from "../tensor/shape.ts";
import type { WeightLayout } from "../tensor/layout.ts";
import type { AxisWindow } from "./axisWindow.ts";

export interface UnrolledOptions {
  /** [channels, …positions] of the network's input, where the file leaves it open or another size is wanted. */
  readonly inputShape?: Shape;
}

export interface UnrolledLayer {
  readonly name: string;
  readonly channels: number;
  /** Sizes of the axes of positions; empty for units of a dense layer. */
  readonly positions: Shape;
  /** Number of the layer's first node; channel c at position p is node offset + c · positions + p. */
  readonly offset: number;
  readonly size: number;
}

/** The edges of one weight layer, or of one pooling. */
export interface UnrolledLink {
  readonly name: string;
  readonly weights:
    | { readonly layer: WeightLayer; readonly layout: WeightLayout }
    | { readonly pooling: "max" | "average" | "copy"; readonly countsPadding: boolean };
  readonly groups: number;
  /** First node of each sending channel, or the node of each feature. */
  readonly columns: Float64Array;
  /** First node of each receiving channel. */
  readonly rows: Float64Array;
  /** An axis of positions each; none for a dense layer, which joins single nodes. */
  readonly axes: readonly AxisWindow[];
  readonly edges: number;
}

export interface UnrolledPlan {
  readonly name: string;
  readonly layers: readonly UnrolledLayer[];
  /** In forward order. */
  readonly links: readonly UnrolledLink[];
  readonly nodeCount: number;
  readonly edgeCount: number;
  readonly certainty: "declared" | "inferred";
}

/** A plan with its sums. */
export function planOf(
  { name, topology }: Model,
  layers: readonly UnrolledLayer[],
  links: readonly UnrolledLink[],
): UnrolledPlan {
  const sum = (sizes: readonly number[]): number =>
    elementCount([sizes.reduce((all, size) => all + size, 0)]);
  return {
    name,
    layers,
    links,
    nodeCount: sum(layers.map(({ size }) => size)),
    edgeCount: sum(links.map(({ edges }) => edges)),
    certainty: topology.certainty,
  };
}

export function positionsUnknown(
  { name }: Model,
  path: readonly string[],
  reason: string,
): GraphError {
  return new GraphError("GRAPH_POSITIONS_UNKNOWN", reason, {
    path: [name, ...path],
    hint:
      "Unrolling needs the strides, padding and input size of every layer: ONNX files, Keras configurations and TensorFlow.js " +
      "layers-models declare them, state dicts do not. The rolled graph needs none of them.",
  });
}

/** @throws {ShapeError} `SHAPE_MISMATCH` */
export function sizesDiffer(model: Model, layer: string, message: string): ShapeError {
  return new ShapeError("SHAPE_MISMATCH", message, {
    path: [model.name, layer],
    hint: "Is the input shape the one that the network was made for? It is [channels, …positions].",
  });
}
