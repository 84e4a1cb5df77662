import type { ColumnTable } from "arquero";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import { exportedGraph, type ExportOptions } from "./exportedGraph.ts";

export interface GraphTables {
  /** node, layer, rank, index, and a column per measure (null where it has no value). In node order. */
  readonly nodes: ColumnTable;
  /** from, to, weight, block. In order of block, row and column; those of weight zero are left out. */
  readonly edges: ColumnTable;
  /** layer, rank, first (node), size. */
  readonly layers: ColumnTable;
}

/**
 * The graph as arquero tables, for grouping, joining and writing out as CSV or Arrow. Loads arquero when it is first called.
 * Cost: O(nodes · measures + edges). Errors: those of `exportedGraph`.
 * @throws {GraphError} `GRAPH_TOO_LARGE`; {ShapeError} `SHAPE_MISMATCH`; {UsageError} `USAGE_INVALID_OPTION`
 */
export async function toTable(
  layered: LayeredGraph,
  options: ExportOptions = {},
): Promise<GraphTables> {
  const { table } = await import("arquero");
  const { nodes, edges, blockOf } = exportedGraph(layered, options);
  const measures = Object.keys(options.measures ?? {});
  return {
    nodes: table({
      node: nodes.map((_, number) => number),
      layer: nodes.map(({ layer }) => layer),
      rank: nodes.map(({ rank }) => rank),
      index: nodes.map(({ index }) => index),
      ...Object.fromEntries(measures.map((id) => [id, nodes.map((node) => node[id] ?? null)])),
    }),
    edges: table({
      from: edges.from,
      to: edges.to,
      weight: edges.weight,
      block: Array.from(edges.from, (_, edge) => blockOf(edge)),
    }),
    layers: table({
      layer: layered.layers.map(({ name }) => name),
      rank: layered.layers.map((_, rank) => rank),
      first: layered.layers.map(({ offset }) => offset),
      size: layered.layers.map(({ size }) => size),
    }),
  };
}
