/** The metrics of graphology's libraries that run here, as data: flags and documentation come from this table. */
import type { AbstractGraph } from "graphology-types";
import { createRandom } from "../random.ts";

export interface MetricInput {
  /** Simple, with node numbers as keys; edges have `weight` > 0 and `length` = 1 / weight. */
  readonly graph: AbstractGraph;
  readonly distance: "hops" | "inverse";
  readonly seed: number;
}

interface MetricOutput {
  /** By node key. */
  readonly values?: Readonly<Record<string, number>>;
  readonly figures?: Readonly<Record<string, number>>;
}

export interface GraphMetric {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** A number per node, or figures of the whole. */
  readonly of: "nodes" | "graph";
  /** Which ways edges may be taken; the first is the default. */
  readonly types: readonly ("directed" | "undirected")[];
  /** True if `distance: "inverse"` may make strong edges short. */
  readonly weighsPaths: boolean;
  /** In words, for n nodes and m edges. */
  readonly cost: string;
  /** The same as a number of elementary steps. */
  readonly steps: (size: { readonly nodes: number; readonly edges: number }) => number;
  /** Our measure of the same, which has no budget of edges. */
  readonly ours?: string;
  readonly run: (input: MetricInput) => Promise<MetricOutput>;
}

type Call = (graph: AbstractGraph, options?: object) => never;

/** The types of these modules describe the compiled form; what Node imports as default is the function itself. */
const functionOf = ({ default: call }: { readonly default: unknown }): Call => call as Call;

type Values = Readonly<Record<string, number>>;
const bothWays = ["directed", "undirected"] as const;
const allPairs = {
  cost: "O(n · m)",
  steps: ({ nodes, edges }: { nodes: number; edges: number }) => nodes * (nodes + edges),
};
const sweeps = {
  cost: "O(m) a step, 100 steps at most",
  steps: ({ nodes, edges }: { nodes: number; edges: number }) => 100 * (nodes + edges),
};

async function hits(graph: AbstractGraph): Promise<{ hubs: Values; authorities: Values }> {
  const run = functionOf(await import("graphology-metrics/centrality/hits.js"));
  return run(graph, { getEdgeWeight: "weight" });
}

export const graphMetrics: readonly GraphMetric[] = [
  {
    id: "betweenness",
    title: "Betweenness centrality",
    description:
      "Share of the shortest paths between other nodes that pass through a node (Brandes 2001, doi 10.1080/0022250X.2001.9990249).",
    of: "nodes",
    types: bothWays,
    weighsPaths: true,
    ...allPairs,
    async run({ graph, distance }) {
      const run = functionOf(await import("graphology-metrics/centrality/betweenness.js"));
      return { values: run(graph, { getEdgeWeight: distance === "hops" ? null : "length" }) };
    },
  },
  {
    id: "closeness",
    title: "Closeness centrality",
    description:
      "Nodes that reach a node over the sum of their distances, scaled by their share of the graph (Wasserman and Faust); 0 if none does.",
    of: "nodes",
    types: bothWays,
    weighsPaths: false,
    ...allPairs,
    async run({ graph }) {
      const run = functionOf(await import("graphology-metrics/centrality/closeness.js"));
      return { values: run(graph, { wassermanFaust: true }) };
    },
  },
  {
    id: "eccentricity",
    title: "Eccentricity",
    description: "Hops to the farthest node; no value where not every node can be reached.",
    of: "nodes",
    types: ["undirected", "directed"],
    weighsPaths: false,
    ...allPairs,
    async run({ graph }) {
      const module = await import("graphology-metrics/node/eccentricity.js");
      const run = module.default as unknown as (graph: AbstractGraph, node: string) => number;
      return { values: Object.fromEntries(graph.mapNodes((key) => [key, run(graph, key)])) };
    },
  },
  {
    id: "degreeCentrality",
    title: "Degree centrality",
    description: "Edges of a node over the number of other nodes.",
    of: "nodes",
    types: bothWays,
    weighsPaths: false,
    cost: "O(n)",
    steps: ({ nodes }) => nodes,
    async run({ graph }) {
      const { degreeCentrality } = await import("graphology-metrics/centrality/degree.js");
      return { values: degreeCentrality(graph) };
    },
  },
  {
    id: "hubs",
    title: "HITS hubs",
    description: "How well a node points to authorities, by weight (Kleinberg 1999); sum 1.",
    of: "nodes",
    types: ["directed"],
    weighsPaths: false,
    ...sweeps,
    ours: "hits",
    run: async ({ graph }) => ({ values: (await hits(graph)).hubs }),
  },
  {
    id: "authorities",
    title: "HITS authorities",
    description: "How well hubs point to a node, by weight (Kleinberg 1999); sum 1.",
    of: "nodes",
    types: ["directed"],
    weighsPaths: false,
    ...sweeps,
    ours: "hits",
    run: async ({ graph }) => ({ values: (await hits(graph)).authorities }),
  },
  {
    id: "pagerank",
    title: "PageRank",
    description: "By weight, damping 0.85 (Brin and Page 1998); sum 1.",
    of: "nodes",
    types: bothWays,
    weighsPaths: false,
    ...sweeps,
    ours: "pagerank",
    async run({ graph }) {
      const run = functionOf(await import("graphology-metrics/centrality/pagerank.js"));
      return { values: run(graph, { getEdgeWeight: "weight" }) };
    },
  },
  {
    id: "eigenvector",
    title: "Eigenvector centrality",
    description:
      "By weight, of the whole graph; fails where weights are large, as explained below.",
    of: "nodes",
    types: ["undirected"],
    weighsPaths: false,
    ...sweeps,
    ours: "eigenvector",
    async run({ graph }) {
      const run = functionOf(await import("graphology-metrics/centrality/eigenvector.js"));
      return { values: run(graph, { getEdgeWeight: "weight" }) };
    },
  },
  {
    id: "louvain",
    title: "Louvain communities",
    description:
      "Number of each node's community, by weight, with their count and modularity (Blondel et al. 2008); equal seeds, equal communities.",
    of: "nodes",
    types: ["undirected", "directed"],
    weighsPaths: false,
    cost: "about O(m), a few times",
    steps: ({ nodes, edges }) => 10 * (nodes + edges),
    async run({ graph, seed }) {
      if (graph.size === 0) return {};
      const module = await import("graphology-communities-louvain");
      const louvain = module.default as unknown as typeof module.default.default;
      const random = createRandom(seed);
      const { communities, count, modularity } = louvain.detailed(graph, {
        getEdgeWeight: "weight",
        rng: () => random.uniform(),
      });
      return { values: communities, figures: { communities: count, modularity } };
    },
  },
  {
    id: "density",
    title: "Density",
    description: "Edges over pairs of nodes, whatever their layers.",
    of: "graph",
    types: bothWays,
    weighsPaths: false,
    cost: "O(1)",
    steps: () => 1,
    async run({ graph }) {
      const { density } = await import("graphology-metrics/graph/density.js");
      return { figures: { density: density(graph) } };
    },
  },
  {
    id: "diameter",
    title: "Diameter",
    description:
      "Hops between the two nodes farthest apart; no value where the graph is not connected.",
    of: "graph",
    types: ["undirected", "directed"],
    weighsPaths: false,
    ...allPairs,
    async run({ graph }) {
      const run = functionOf(await import("graphology-metrics/graph/diameter.js"));
      return { figures: { diameter: run(graph) } };
    },
  },
];
