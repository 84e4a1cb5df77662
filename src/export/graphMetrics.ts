/** Further metrics of graphs, by graphology's libraries: what we have no measure of, on a graph that was reduced first. */
import type { AbstractGraph } from "graphology-types";
import { summarise, type Summary } from "../analysis/summarise.ts";
import { AnalysisError, UsageError } from "../errors.ts";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import { exportedGraph, type ExportedFacts, type ExportOptions } from "./exportedGraph.ts";
import { graphMetrics, type GraphMetric, type MetricInput } from "./metricTable.ts";

export interface GraphMetricOptions extends Pick<ExportOptions, "edgeBudget" | "reduce"> {
  /** Which way edges are taken. @defaultValue what the metric's entry names first */
  readonly type?: "directed" | "undirected";
  /** Length of an edge on a shortest path: 1, or 1 / |weight|, so that strong edges are short. @defaultValue "hops" */
  readonly distance?: "hops" | "inverse";
  /** For what draws. @defaultValue 0 */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** Told before each metric, which then computes without a break. */
  readonly onStart?: (metric: GraphMetric, size: { nodes: number; edges: number }) => unknown;
}

export interface GraphMetricResult {
  readonly id: string;
  readonly title: string;
  readonly of: "nodes" | "graph";
  readonly type: "directed" | "undirected";
  /** What it is of as a whole; null where it has no value. */
  readonly figures: Readonly<Record<string, number | null>>;
  /** Over the nodes that have a value; null for a metric of the graph, and where no node has one. */
  readonly summary: Summary | null;
  /** In node order, null where a node has no value; null for a metric of the graph. */
  readonly nodes: readonly (number | null)[] | null;
}

export interface GraphMetricResults {
  /** What was handed over of the graph. */
  readonly facts: ExportedFacts;
  /** Edges once parallel ones are one. */
  readonly edges: number;
  readonly metrics: readonly GraphMetricResult[];
}

/** @throws {UsageError} `USAGE_UNKNOWN_MEASURE` */
export function graphMetricById(id: string): GraphMetric {
  const found = graphMetrics.find((metric) => metric.id === id);
  if (found !== undefined) return found;
  const names = graphMetrics.map((metric) => metric.id).join(", ");
  throw new UsageError("USAGE_UNKNOWN_MEASURE", `no metric is called ${JSON.stringify(id)}`, {
    hint: `Known: ${names}. Our own measures are those of \`analyze\`.`,
  });
}

/**
 * Metrics of the graph of absolute weights, in which parallel edges are one and their weights are added. Loads the library of a
 * metric when it is first asked for.
 * Cost: that of the metric (`GraphMetric.cost`), without a break: `signal` is looked at between two metrics.
 * @throws {UsageError} `USAGE_UNKNOWN_MEASURE`, `USAGE_INVALID_OPTION`; {GraphError} `GRAPH_TOO_LARGE`
 * @throws {AnalysisError} `ANALYSIS_NOT_CONVERGED`, `ANALYSIS_UNDEFINED`
 */
export async function runGraphMetrics(
  layered: LayeredGraph,
  ids: readonly string[],
  options: GraphMetricOptions = {},
): Promise<GraphMetricResults> {
  const { type, distance = "hops", seed = 0, signal, onStart } = options;
  const chosen = [...new Set(ids)].map(graphMetricById);
  for (const metric of chosen) checkOptions(metric, options);
  const { edges, facts } = exportedGraph(layered, { ...options, weight: "absolute" });
  const graphs = new Map<string, AbstractGraph>();
  const metrics: GraphMetricResult[] = [];
  for (const metric of chosen) {
    signal?.throwIfAborted();
    const own = type ?? metric.types[0]!;
    const graph = graphs.get(own) ?? (await simpleGraph(layered.nodeCount, edges, own));
    graphs.set(own, graph);
    await onStart?.(metric, { nodes: graph.order, edges: graph.size });
    metrics.push(await resultOf(metric, own, { graph, distance, seed }));
  }
  const [any] = graphs.values();
  return { facts, edges: any?.size ?? facts.keptEdges, metrics };
}

function checkOptions(metric: GraphMetric, { type, distance }: GraphMetricOptions): void {
  if (type !== undefined && !metric.types.includes(type)) {
    throw new UsageError("USAGE_INVALID_OPTION", `${metric.id} is not of ${type} graphs`, {
      path: ["type"],
    });
  }
  if (distance !== undefined && !["hops", "inverse"].includes(distance)) {
    throw new UsageError("USAGE_INVALID_OPTION", `distance must be hops or inverse`, {
      path: ["distance"],
    });
  }
  if (distance === "inverse" && !metric.weighsPaths) {
    throw new UsageError("USAGE_INVALID_OPTION", `${metric.id} counts hops only`, {
      path: ["distance"],
    });
  }
}

/** Node numbers as keys; every edge with its weight and the length that stands for it on a path. */
async function simpleGraph(
  nodeCount: number,
  { from, to, weight }: { from: Int32Array; to: Int32Array; weight: Float64Array },
  type: "directed" | "undirected",
): Promise<AbstractGraph> {
  const { DirectedGraph, UndirectedGraph } = await import("graphology");
  const graph: AbstractGraph = type === "directed" ? new DirectedGraph() : new UndirectedGraph();
  for (let node = 0; node < nodeCount; node++) graph.addNode(node);
  weight.forEach((value, edge) => {
    graph.updateEdge(from[edge], to[edge], ({ weight: known = 0 }) => {
      const sum = (known as number) + value;
      return { weight: sum, length: 1 / sum };
    });
  });
  return graph;
}

async function resultOf(
  metric: GraphMetric,
  type: "directed" | "undirected",
  input: MetricInput,
): Promise<GraphMetricResult> {
  const { id, title, of } = metric;
  const { figures = {}, values } = await metric.run(input).catch((error: unknown) => {
    throw refused(metric, error);
  });
  const nodes = values === undefined ? null : input.graph.mapNodes((key) => finite(values[key]));
  const covered = nodes?.filter((value) => value !== null) ?? [];
  return {
    id,
    title,
    of,
    type,
    figures: Object.fromEntries(
      Object.entries(figures).map(([name, figure]) => [name, finite(figure)]),
    ),
    summary: covered.length === 0 ? null : summarise(Float64Array.from(covered)),
    nodes,
  };
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

/** What the library throws, with our codes; anything that is no metric's failure stays what it is. */
function refused({ id, ours }: GraphMetric, error: unknown): unknown {
  if (!(error instanceof Error) || !error.message.startsWith("graphology")) return error;
  const hint =
    ours === undefined ? undefined : `Ours does: \`weightgraph analyze --measures ${ours}\`.`;
  const code = error.message.includes("converge") ? "ANALYSIS_NOT_CONVERGED" : "ANALYSIS_UNDEFINED";
  return new AnalysisError(code, error.message, {
    path: [id],
    cause: error,
    ...(hint !== undefined && { hint }),
  });
}
