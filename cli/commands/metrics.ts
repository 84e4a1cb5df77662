import { buildCommand, type Command } from "@stricli/core";
import { setImmediate } from "node:timers/promises";
import {
  graphMetrics,
  runGraphMetrics,
  type GraphMetricOptions,
  type GraphMetricResult,
  type GraphMetricResults,
  type LayeredGraph,
} from "../../src/node.ts";
import { say, sayWarnings, writeJson, type CliContext } from "../context.ts";
import { formatFlag, jsonFlag, list, seedFlag, wholeNumber } from "../flags.ts";
import { graphFlags, withGraphFlags } from "../graphFlags.ts";
import { readGraph, type GraphInputFlags } from "../graphInput.ts";
import { numberText, percentText, renderTable } from "../render.ts";

interface Flags extends GraphInputFlags {
  readonly json: boolean;
  readonly metric: readonly string[];
  readonly type?: NonNullable<GraphMetricOptions["type"]>;
  readonly distance?: NonNullable<GraphMetricOptions["distance"]>;
  readonly edges: number;
  readonly seed: number;
  readonly nodes: boolean;
}

export const metricsCommand: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  docs: {
    brief: "Further metrics by graphology's libraries, on the strongest edges",
    fullDescription:
      "Keeps the strongest edges (--edges, the share of |w| kept is stated), adds up parallel ones, and computes metrics of the graph of " +
      `absolute weights: ${graphMetrics.map(({ id, cost }) => `${id} (${cost})`).join(", ")}; n nodes, m edges. A metric computes without ` +
      "a break: Ctrl-C and --timeout take effect between two of them, the watchdog of --timeout at any time.",
  },
  parameters: {
    flags: {
      json: jsonFlag,
      format: formatFlag,
      ...graphFlags,
      metric: {
        kind: "parsed",
        parse: list,
        brief: "Which metrics, separated by commas",
        default: "betweenness,closeness",
        placeholder: "a,b",
      },
      type: {
        kind: "enum",
        values: ["directed", "undirected"],
        brief: "Which way edges are taken (default: what suits the metric)",
        optional: true,
      },
      distance: {
        kind: "enum",
        values: ["hops", "inverse"],
        brief: "Length of an edge on a shortest path: 1, or 1 / |w| (default: hops)",
        optional: true,
      },
      edges: {
        kind: "parsed",
        parse: wholeNumber,
        brief: "The most edges to keep, the strongest first",
        default: "20000",
        placeholder: "N",
      },
      seed: seedFlag,
      nodes: { kind: "boolean", brief: "List every neuron", default: false },
    },
    positional: {
      kind: "tuple",
      parameters: [{ brief: "Model file, or - for stdin", parse: String, placeholder: "FILE" }],
    },
  },
  async func({ json, metric, type, distance, edges, seed, nodes, ...flags }, file) {
    const { graph: read, warnings } = await readGraph(this, file, flags);
    const graph = withGraphFlags(read, flags);
    const results = await runGraphMetrics(graph, metric, {
      ...(type && { type }),
      ...(distance && { distance }),
      edgeBudget: edges,
      reduce: true,
      seed,
      signal: this.signal,
      onStart: async ({ id, cost, steps }, size) => {
        const count = steps(size);
        if (count >= longRun) say(this, `${id}: ${cost}, about ${count.toExponential(0)} steps`);
        await setImmediate();
        this.signal.throwIfAborted();
      },
    });
    if (json) {
      const document = metricsDocument(graph, results, { nodes });
      writeJson(this, { schema: "weightgraph.metrics", version: 1, ...document, warnings });
      return;
    }
    this.process.stdout.write(`${metricsText(graph, results, { nodes })}\n`);
    const { keptEdges, edges: all, keptShare } = results.facts;
    say(
      this,
      `${numberText(keptEdges)} of ${numberText(all)} edges, ${percentText(keptShare)} of |w|`,
    );
    sayWarnings(this, warnings);
  },
});

/** From here on, a metric says what it costs before it starts: some seconds. */
const longRun = 2e7;

function metricsDocument(
  { layers }: LayeredGraph,
  { facts, edges, metrics }: GraphMetricResults,
  { nodes }: { readonly nodes: boolean },
): Record<string, unknown> {
  return {
    graph: {
      ...facts,
      layers: layers.map(({ name, size }) => ({ name, size })),
      simpleEdges: edges,
    },
    metrics: metrics.map(({ nodes: _nodes, ...metric }) => metric),
    ...(nodes && {
      nodes: {
        layer: layers.flatMap(({ size }, layer) => Array.from({ length: size }, () => layer)),
        index: layers.flatMap(({ size }) => Array.from({ length: size }, (_, i) => i)),
        ...Object.fromEntries(
          metrics.flatMap(({ id, nodes: values }) => (values === null ? [] : [[id, values]])),
        ),
      },
    }),
  };
}

function metricsText(
  { layers }: LayeredGraph,
  { metrics }: GraphMetricResults,
  { nodes }: { readonly nodes: boolean },
): string {
  const parts: string[] = [];
  const ofNodes = metrics.filter(
    (metric): metric is GraphMetricResult & { nodes: readonly (number | null)[] } =>
      metric.nodes !== null,
  );
  if (nodes && ofNodes.length > 0) {
    const rows = layers.flatMap(({ name, offset, size }) =>
      Array.from({ length: size }, (_, i) => [
        name,
        i,
        ...ofNodes.map(({ nodes: values }) => values[offset + i]),
      ]),
    );
    parts.push(renderTable(["layer", "neuron", ...ofNodes.map(({ id }) => id)], rows));
  } else if (ofNodes.length > 0) {
    const rows = ofNodes.map(({ id, type, summary }) => [
      id,
      type,
      summary?.count ?? 0,
      summary?.mean,
      summary?.median,
      summary?.std,
      summary?.min,
      summary?.max,
    ]);
    const headers = ["metric", "edges", "neurons", "mean", "median", "sd", "min", "max"];
    parts.push(renderTable(headers, rows));
  }
  const figures = metrics.flatMap(({ type, figures: own }) =>
    Object.entries(own).map(([name, value]) => [name, type, value]),
  );
  if (figures.length > 0) parts.push(renderTable(["figure", "edges", "value"], figures));
  return parts.join("\n\n");
}
