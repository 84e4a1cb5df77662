import type { ColumnTable } from "arquero";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import type { ExportedFacts, ExportOptions } from "./exportedGraph.ts";
import { graphColumns, type ColumnsOfTable } from "./graphColumns.ts";

export interface GraphTables {
  /** node, layer, rank, index, and a column per measure (null where it has no value). In node order. */
  readonly nodes: ColumnTable;
  /** from, to, weight, block, and on demand kind, taps, positive, negative, norm. In order of block, row and column; those of weight zero are left out. */
  readonly edges: ColumnTable;
  /** layer, rank, first (node), size. */
  readonly layers: ColumnTable;
  readonly facts: ExportedFacts;
}

/**
 * The graph as arquero tables, for grouping, joining and writing out as CSV. Loads arquero when it is first called.
 * Cost: O(nodes · measures + edges). Errors: those of `exportedGraph`.
 * @throws {GraphError} `GRAPH_TOO_LARGE`; {ShapeError} `SHAPE_MISMATCH`; {UsageError} `USAGE_INVALID_OPTION`
 */
export async function toTable(
  layered: LayeredGraph,
  options: ExportOptions = {},
): Promise<GraphTables> {
  const { table } = await import("arquero");
  const { nodes, edges, facts } = graphColumns(layered, options);
  const tableOf = ({ columns }: ColumnsOfTable): ColumnTable =>
    table(Object.fromEntries(columns.map(({ name, values }) => [name, values])));
  return {
    facts,
    nodes: tableOf(nodes),
    edges: tableOf(edges),
    layers: table({
      layer: layered.layers.map(({ name }) => name),
      rank: layered.layers.map((_, rank) => rank),
      first: layered.layers.map(({ offset }) => offset),
      size: layered.layers.map(({ size }) => size),
    }),
  };
}
