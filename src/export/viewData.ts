/**
 * What a picture of a layered graph needs, as JSON: the structure once (`weightgraph.view`), and for each epoch its measures
 * and its strongest edges (`weightgraph.view.epoch`). Fields are never renamed or given a new meaning under one version.
 */
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import type { ReducedGraph } from "../graph/reduce.ts";
import { layerColumns, type LayerColumn } from "./layerColumns.ts";

export interface ViewEpochLabel {
  /** Null for a model on its own. */
  readonly epoch: number | null;
  readonly name: string;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface ViewLayer extends LayerColumn {
  readonly name: string;
  /** Number of its first node. */
  readonly offset: number;
  readonly size: number;
}

export interface ViewStructure {
  readonly schema: "weightgraph.view";
  readonly version: 1;
  readonly name: string;
  readonly certainty: LayeredGraph["certainty"];
  readonly layers: readonly ViewLayer[];
  readonly nodeCount: number;
  /** Pairs of neurons that a block connects, zero weights included. */
  readonly edgeCount: number;
  /** The box that all nodes stand in; y grows downwards. */
  readonly width: number;
  readonly height: number;
  /** A column each: x[nodeCount], y[nodeCount], largest radius at which nodes do not touch. */
  readonly nodes: {
    readonly x: readonly number[];
    readonly y: readonly number[];
    readonly radius: readonly number[];
  };
  readonly epochs: readonly ViewEpochLabel[];
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}

export interface ViewMeasure {
  readonly id: string;
  readonly title: string;
  /** values[nodeCount]; null where the measure does not cover a node. */
  readonly values: readonly (number | null)[];
  /** Why no node has a value; null when some have. */
  readonly problem: string | null;
}

export interface ViewEpoch {
  readonly schema: "weightgraph.view.epoch";
  readonly version: 1;
  /** Index into `ViewStructure.epochs`. */
  readonly index: number;
  readonly measures: readonly ViewMeasure[];
  readonly edges: ViewEdges;
}

/** The edges that a reduction kept: the strongest of each block first, so that any first part of them is fair to all. */
export interface ViewEdges {
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** L2 norm of the edge's taps, with the sign of their sum. */
  readonly weight: readonly number[];
  /** Index into `blocks`. */
  readonly block: readonly number[];
  readonly shown: number;
  readonly total: number;
  /** Sum of |weight| of these over that of all edges; 1 for a graph of zeros. */
  readonly share: number;
  readonly blocks: ReducedGraph["blocks"];
}

/** The part of the picture that training does not change. Cost: O(nodes). */
export function viewStructure(
  graph: LayeredGraph,
  {
    name = graph.name,
    epochs = [{ epoch: null, name, metrics: {} }],
    warnings = [],
  }: Partial<Pick<ViewStructure, "name" | "epochs" | "warnings">> = {},
): ViewStructure {
  const places = layerColumns(graph.layers);
  return {
    schema: "weightgraph.view",
    version: 1,
    name,
    certainty: graph.certainty,
    layers: graph.layers.map((layer, i) => ({ ...layer, ...roundedColumn(places.columns[i]!) })),
    nodeCount: graph.nodeCount,
    edgeCount: graph.edgeCount,
    width: rounded(places.width),
    height: places.height,
    nodes: {
      x: Array.from(places.x, rounded),
      y: Array.from(places.y, rounded),
      radius: Array.from(places.radius, rounded),
    },
    epochs,
    warnings,
  };
}

/** The part that one epoch adds. Numbers in six significant digits. Cost: O(nodes · measures + kept edges · log). */
export function viewEpoch(
  graph: LayeredGraph,
  index: number,
  {
    measures,
    reduced,
  }: { readonly measures: readonly ViewMeasure[]; readonly reduced: ReducedGraph },
): ViewEpoch {
  const order = byRankInBlock(reduced);
  return {
    schema: "weightgraph.view.epoch",
    version: 1,
    index,
    measures: measures.map((measure) => ({
      ...measure,
      values: measure.values.map((value) => (value === null ? null : rounded(value))),
    })),
    edges: {
      from: order.map((edge) => reduced.from[edge]!),
      to: order.map((edge) => reduced.to[edge]!),
      weight: order.map((edge) => rounded(reduced.weight[edge]!)),
      block: order.map((edge) => reduced.block[edge]!),
      shown: order.length,
      total: graph.edgeCount,
      share: reduced.keptShare,
      blocks: reduced.blocks,
    },
  };
}

/** The strongest edge of every block, then the second of every block, and so on; within a rank the stronger first. */
function byRankInBlock({ weight, block, blocks }: ReducedGraph): number[] {
  const order = Array.from(weight, (_, edge) => edge);
  const strength = (edge: number): number => Math.abs(weight[edge]!);
  order.sort((a, b) => strength(b) - strength(a) || a - b);
  const met = blocks.map(() => 0);
  const rank = new Int32Array(weight.length);
  for (const edge of order) rank[edge] = met[block[edge]!]!++;
  return order.sort((a, b) => rank[a]! - rank[b]! || strength(b) - strength(a) || a - b);
}

function roundedColumn({ left, right, top, bottom }: LayerColumn): LayerColumn {
  return {
    left: rounded(left),
    right: rounded(right),
    top: rounded(top),
    bottom: rounded(bottom),
  };
}

function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
