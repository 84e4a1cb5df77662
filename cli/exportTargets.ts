/** What `export` can make of a graph, as data: a document, a text, or the two tables of nodes and edges. */
import {
  toArrow,
  toGexf,
  toGraphology,
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

/** By the name that `--to` takes. */
export const exportTargets: Readonly<Record<ExportTarget, Make>> = {
  graphology: (graph, options) => {
    const exported = toGraphology(graph, options);
    return { kind: "json", content: exported.export(), facts: exported.getAttributes() };
  },
  gexf: (graph, options) => ({
    kind: "text",
    content: toGexf(graph, options),
    facts: toGraphology(graph, options).getAttributes(),
  }),
  "gexf-1.2": (graph, options) => ({
    kind: "text",
    content: toGexf(graph, { ...options, version: "1.2" }),
    facts: toGraphology(graph, options).getAttributes(),
  }),
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
