/** A graph as columns of one type each: what tables, Parquet and Arrow are made of. */
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import {
  exportedGraph,
  type ExportedEdge,
  type ExportedFacts,
  type ExportOptions,
} from "./exportedGraph.ts";

export type GraphColumn = { readonly name: string } & (
  | { readonly type: "int32"; readonly values: Int32Array }
  | { readonly type: "float64"; readonly values: Float64Array }
  /** Null where a measure has no value. */
  | { readonly type: "nullable float64"; readonly values: readonly (number | null)[] }
  | { readonly type: "text"; readonly values: readonly string[] }
);

export interface ColumnsOfTable {
  readonly columns: readonly GraphColumn[];
  /** What the table is of, as JSON (`weightgraph.table`): it goes into the file beside the columns. */
  readonly about: string;
}

export interface GraphColumns {
  /** node, layer, rank, index, and a column per measure. In node order. */
  readonly nodes: ColumnsOfTable;
  /** from, to, weight, block, and on demand kind, taps, positive, negative, norm. In order of block, row and column; those of weight zero are left out. */
  readonly edges: ColumnsOfTable;
  readonly facts: ExportedFacts;
}

/** Cost: O(nodes · measures + edges). Errors: those of `exportedGraph`. */
export function graphColumns(graph: LayeredGraph, options: ExportOptions = {}): GraphColumns {
  const { nodes, edges, blockOf, edgeOf, facts } = exportedGraph(graph, options);
  const about = (table: "nodes" | "edges"): string =>
    JSON.stringify({ schema: "weightgraph.table", version: 1, table, ...facts });
  const measures = Object.entries(options.measures ?? {}).map(([name, values]): GraphColumn => ({
    name,
    type: "nullable float64",
    values: Array.from(values, (value) => value ?? null),
  }));
  return {
    facts,
    nodes: {
      about: about("nodes"),
      columns: [
        { name: "node", type: "int32", values: Int32Array.from(nodes, (_, node) => node) },
        { name: "layer", type: "text", values: nodes.map(({ layer }) => layer) },
        { name: "rank", type: "int32", values: Int32Array.from(nodes, ({ rank }) => rank) },
        { name: "index", type: "int32", values: Int32Array.from(nodes, ({ index }) => index) },
        ...measures,
      ],
    },
    edges: {
      about: about("edges"),
      columns: [
        { name: "from", type: "int32", values: edges.from },
        { name: "to", type: "int32", values: edges.to },
        { name: "weight", type: "float64", values: edges.weight },
        { name: "block", type: "text", values: Array.from(edges.from, (_, edge) => blockOf(edge)) },
        ...(options.edgeAttributes === true ? attributeColumns(edges.from.length, edgeOf) : []),
      ],
    },
  };
}

/** `norm` stands where the graph has it; without a single edge all columns stand. */
function attributeColumns(
  count: number,
  edgeOf: (edge: number) => ExportedEdge,
): readonly GraphColumn[] {
  const all = Array.from({ length: count }, (_, edge) => edgeOf(edge));
  const numbers = (name: "positive" | "negative" | "norm"): GraphColumn => ({
    name,
    type: "float64",
    values: Float64Array.from(all, (edge) => edge[name]!),
  });
  return [
    { name: "kind", type: "text", values: all.map(({ kind }) => kind!) },
    { name: "taps", type: "int32", values: Int32Array.from(all, ({ taps }) => taps!) },
    numbers("positive"),
    numbers("negative"),
    ...(all.every(({ norm }) => norm !== undefined) ? [numbers("norm")] : []),
  ];
}
