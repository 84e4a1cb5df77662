/** What `export` can make of a graph, as data: a document, a text, or the two tables of nodes and edges. */
import {
  toArrow,
  toHif,
  toParquet,
  toTable,
  type ExportedFacts,
  type GraphologyOptions,
  type HifFacts,
  type HifOptions,
  type LayeredGraph,
} from "../src/node.ts";

export type TargetOptions = GraphologyOptions & Pick<HifOptions, "side" | "sign">;

export type Exported = { readonly facts: ExportedFacts | HifFacts } & (
  | { readonly kind: "json"; readonly content: unknown }
  | { readonly kind: "text"; readonly content: string }
  | {
      readonly kind: "tables";
      readonly content: Readonly<Record<"nodes" | "edges", string | Uint8Array>>;
    }
);

export type ExportTarget =
  "graphology" | "gexf" | "gexf-1.2" | "hif" | "nodes" | "edges" | "csv" | "parquet" | "arrow";

type Make = (graph: LayeredGraph, options: TargetOptions) => Exported | Promise<Exported>;

/** Its libraries load only here, so that other commands start sooner. */
const graphologyTargets = (): Promise<typeof import("./graphologyTargets.ts")> =>
  import("./graphologyTargets.ts");

/** By the name that `--to` takes. */
export const exportTargets: Readonly<Record<ExportTarget, Make>> = {
  graphology: async (graph, options) => {
    const { graphology } = await graphologyTargets();
    return { kind: "json", ...graphology(graph, options) };
  },
  gexf: async (graph, options) => {
    const { gexf } = await graphologyTargets();
    return { kind: "text", ...gexf(graph, options) };
  },
  "gexf-1.2": async (graph, options) => {
    const { gexf } = await graphologyTargets();
    return { kind: "text", ...gexf(graph, { ...options, version: "1.2" }) };
  },
  hif: (graph, options) => {
    const content = toHif(graph, options);
    return { kind: "json", content, facts: content.metadata };
  },
  nodes: async (graph, options) => {
    const { nodes, facts } = await toTable(graph, options);
    return { kind: "text", content: nodes.toCSV(), facts };
  },
  edges: async (graph, options) => {
    const { edges, facts } = await toTable(graph, options);
    return { kind: "text", content: edges.toCSV(), facts };
  },
  csv: async (graph, options) => {
    const { nodes, edges, facts } = await toTable(graph, options);
    return { kind: "tables", content: { nodes: nodes.toCSV(), edges: edges.toCSV() }, facts };
  },
  parquet: async (graph, options) => {
    const { facts, ...content } = await toParquet(graph, options);
    return { kind: "tables", content, facts };
  },
  arrow: async (graph, options) => {
    const { facts, ...content } = await toArrow(graph, options);
    return { kind: "tables", content, facts };
  },
};

/** Those that are two files, so that they have to be named. */
export const tableTargets: readonly ExportTarget[] = ["csv", "parquet", "arrow"];
