import type { Model } from "../model/model.ts";
import type { Shape } from "../tensor/shape.ts";
import { planUnrolled } from "./planUnrolled.ts";
import type { UnrolledOptions } from "./unrolledPlan.ts";

/** How large an unrolled graph would be. */
export interface UnrolledSize {
  readonly nodes: number;
  readonly edges: number;
  /** Of a list of all edges: two node numbers and a float32 weight each. */
  readonly bytes: number;
  readonly layers: readonly {
    readonly name: string;
    readonly channels: number;
    readonly positions: Shape;
    readonly nodes: number;
  }[];
  readonly links: readonly {
    readonly name: string;
    readonly kind: "weights" | "max pooling" | "average pooling" | "upsampling";
    readonly edges: number;
    readonly bytes: number;
  }[];
}

const bytesPerEdge = 12;
const kinds = { max: "max pooling", average: "average pooling", copy: "upsampling" } as const;

/** Reads no weight. Cost: O(channels). @throws see `planUnrolled` */
export function unrolledSize(model: Model, options: UnrolledOptions = {}): UnrolledSize {
  const { layers, links, nodeCount, edgeCount } = planUnrolled(model, options);
  return {
    nodes: nodeCount,
    edges: edgeCount,
    bytes: edgeCount * bytesPerEdge,
    layers: layers.map(({ name, channels, positions, size }) => ({
      name,
      channels,
      positions,
      nodes: size,
    })),
    links: links.map(({ name, weights, edges }) => ({
      name,
      kind: "pooling" in weights ? kinds[weights.pooling] : "weights",
      edges,
      bytes: edges * bytesPerEdge,
    })),
  };
}
