/** The tables of nodes and edges as files: Parquet, and Arrow IPC (which is also Feather, version 2). */
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import type { ExportedFacts, ExportOptions } from "./exportedGraph.ts";
import { graphColumns, type ColumnsOfTable, type GraphColumn } from "./graphColumns.ts";

export interface TableFiles {
  /** node, layer, rank, index, and a column per measure (null where it has no value). In node order. */
  readonly nodes: Uint8Array;
  /** from, to, weight, block, and on demand kind, taps, positive, negative, norm. In order of block, row and column; those of weight zero are left out. */
  readonly edges: Uint8Array;
  /** These are in the files too. */
  readonly facts: ExportedFacts;
}

/** Under this key a file's own metadata hold what the table is of, and what was left out: `weightgraph.table`, as JSON. */
const aboutKey = "weightgraph";

const parquetTypes = {
  int32: "INT32",
  float64: "DOUBLE",
  "nullable float64": "DOUBLE",
  text: "STRING",
} as const;

/**
 * The tables as two Parquet files, snappy-compressed. Loads hyparquet-writer when it is first called.
 * Cost: O(nodes · measures + edges). Errors: those of `exportedGraph`.
 * @throws {GraphError} `GRAPH_TOO_LARGE`; {ShapeError} `SHAPE_MISMATCH`; {UsageError} `USAGE_INVALID_OPTION`
 */
export async function toParquet(
  layered: LayeredGraph,
  options: ExportOptions = {},
): Promise<TableFiles> {
  const { parquetWriteBuffer } = await import("hyparquet-writer");
  const fileOf = ({ columns, about }: ColumnsOfTable): Uint8Array =>
    new Uint8Array(
      parquetWriteBuffer({
        createdBy: "weightgraph",
        kvMetadata: [{ key: aboutKey, value: about }],
        columnData: columns.map(({ name, type, values }) => ({
          name,
          data: values as Int32Array | Float64Array | (number | null)[] | string[],
          type: parquetTypes[type],
          nullable: type === "nullable float64",
        })),
      }),
    );
  const { nodes, edges, facts } = graphColumns(layered, options);
  return { nodes: fileOf(nodes), edges: fileOf(edges), facts };
}

/**
 * The tables as two Arrow IPC files; names of layers and blocks are dictionaries. Loads flechette when it is first called.
 * Cost: O(nodes · measures + edges). Errors: those of `exportedGraph`.
 * @throws {GraphError} `GRAPH_TOO_LARGE`; {ShapeError} `SHAPE_MISMATCH`; {UsageError} `USAGE_INVALID_OPTION`
 */
export async function toArrow(
  layered: LayeredGraph,
  options: ExportOptions = {},
): Promise<TableFiles> {
  const { columnFromArray, dictionary, float64, int32, Table, tableFromColumns, tableToIPC, utf8 } =
    await import("@uwdata/flechette");
  const arrowTypes = {
    int32: () => int32(),
    float64: () => float64(),
    "nullable float64": () => float64(),
    text: () => dictionary(utf8(), int32()),
  };
  const columnOf = ({ type, values }: GraphColumn) =>
    columnFromArray(values as number[] | string[], arrowTypes[type]());
  const fileOf = ({ columns, about }: ColumnsOfTable): Uint8Array => {
    const table = tableFromColumns(columns.map((column) => [column.name, columnOf(column)]));
    const schema = { ...table.schema, metadata: new Map([[aboutKey, about]]) };
    return tableToIPC(new Table(schema, table.children), { format: "file" })!;
  };
  const { nodes, edges, facts } = graphColumns(layered, options);
  return { nodes: fileOf(nodes), edges: fileOf(edges), facts };
}
