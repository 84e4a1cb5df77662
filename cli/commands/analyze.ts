import { buildCommand, type Command } from "@stricli/core";
import { setImmediate } from "node:timers/promises";
import {
  type BlockMeasure,
  type BlockMeasureResult,
  type LayeredGraph,
  type Measure,
  type MeasureResult,
} from "../../src/node.ts";
import { progressLine, say, sayWarnings, writeJson, type CliContext } from "../context.ts";
import { formatFlag, jsonFlag, list, threadsFlag, wholeNumber } from "../flags.ts";
import { graphFacts, graphLines, nodeNames } from "../graphFacts.ts";
import { graphFlags, withGraphFlags, type GraphFlags } from "../graphFlags.ts";
import { readGraph, type GraphInputFlags } from "../graphInput.ts";
import {
  chosenMeasures,
  chosenNodeMeasures,
  measureAliases,
  measureFlags,
  parametersFor,
} from "../measureFlags.ts";
import {
  checkNullFlags,
  compareWithNull,
  nullDocument,
  nullFlags,
  nullText,
  type NullComparison,
  type NullFlags,
} from "../nullModel.ts";
import { renderTable } from "../render.ts";
import {
  checkUnrolledFlags,
  measurable,
  printUnrolledSize,
  readUnrolled,
  unrolledFlags,
  type MeasurableGraph,
  type UnrolledFlags,
} from "../unrolledInput.ts";

interface Flags extends GraphInputFlags, UnrolledFlags, NullFlags {
  readonly json: boolean;
  readonly nodes: boolean;
  readonly top: number;
  readonly measures?: readonly string[];
  readonly threads: number;
}

export const analyzeCommand: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  docs: {
    brief: "Measure the neurons of a model file, or of a matrix on stdin",
    fullDescription:
      "Reads a model into its layered graph and runs the measures. With --format matrix the input is " +
      '{"blocks":[{"from":"a","to":"b","weights":[[1,2],[3,4]]}]}, a row per receiving neuron; `-` is stdin.',
  },
  parameters: {
    flags: {
      json: jsonFlag,
      nodes: {
        kind: "boolean",
        brief: "Print every neuron's values, not only the summary",
        default: false,
      },
      top: {
        kind: "parsed",
        parse: wholeNumber,
        brief: "Neurons to name per measure in the text output",
        default: "5",
      },
      format: formatFlag,
      measures: {
        kind: "parsed",
        parse: list,
        brief:
          "Which measures, separated by commas (default: those that are quick; `all`: every one)",
        placeholder: "a,b",
        optional: true,
      },
      ...graphFlags,
      threads: threadsFlag,
      ...unrolledFlags,
      ...nullFlags,
      ...measureFlags,
    },
    aliases: measureAliases,
    positional: {
      kind: "tuple",
      parameters: [{ brief: "Model file, or - for stdin", parse: String, placeholder: "FILE" }],
    },
  },
  async func(flags, file) {
    checkUnrolledFlags(flags);
    checkNullFlags(flags);
    if (flags.dryRun) return printUnrolledSize(this, file, flags);
    const isUnrolled = flags.graph === "unrolled";
    const chosen = isUnrolled ? chosenNodeMeasures(flags.measures) : chosenMeasures(flags.measures);
    const lenient = flags.measures === undefined;
    const parameters = parametersFor(chosen, { ...flags }, { lenient });
    const every = chosen.some(({ needsTaps = false }) => needsTaps) ? "taps" : "edges";
    const input = isUnrolled
      ? await readUnrolled(this, file, flags)
      : await readGraph(this, file, flags, {
          keep: sumsSuffice(chosen, flags) ? "sums" : every,
          threads: flags.threads,
        }).then(({ graph, warnings }) => ({
          ...measurable(withGraphFlags(graph, flags), warnings),
          asRead: graph,
        }));
    const progress = progressLine(this, "measuring");
    const nodes = new Map<Measure, MeasureResult>();
    const blocks = new Map<BlockMeasure, BlockMeasureResult>();
    for (const measure of chosen) {
      progress.update(measure.id);
      // A measure computes without a break: Ctrl-C and the progress line get their turn here.
      await setImmediate();
      this.signal.throwIfAborted();
      const given = parameters.get(measure);
      if (measure.of === "nodes") nodes.set(measure, input.run(measure, given));
      else blocks.set(measure, measure.run(input.graph, given));
    }
    progress.done();
    const measured = { nodes, blocks };
    const against = await compareWithNull(this, input, { flags, results: measured, parameters });
    const results = { ...measured, against };
    if (flags.json) writeJson(this, analysisDocument(input, results, flags));
    else printAnalysis(this, input, results, flags);
  },
});

/** True where the model can be streamed: nothing asks for a single weight. */
function sumsSuffice(
  chosen: readonly (Measure | BlockMeasure)[],
  { edgeWeight, transform = [], heads, null: model }: GraphFlags & NullFlags,
): boolean {
  const isPlain = edgeWeight === "norm" && transform.length === 0 && !heads && model === undefined;
  return isPlain && chosen.every(({ fromSums = false }) => fromSums);
}

interface Results {
  readonly nodes: ReadonlyMap<Measure, MeasureResult>;
  readonly blocks: ReadonlyMap<BlockMeasure, BlockMeasureResult>;
  readonly against: NullComparison | null;
}

interface Shown extends Pick<UnrolledFlags, "graph"> {
  readonly nodes: boolean;
  readonly top: number;
}

function analysisDocument(
  { graph, layers, components, warnings }: MeasurableGraph,
  results: Results,
  { nodes, graph: kind, top }: Shown,
): Record<string, unknown> {
  const measured = Array.from(results.nodes);
  const ofBlocks = Array.from(results.blocks);
  return {
    schema: "weightgraph.analysis",
    version: 1,
    graph: { kind, ...graphFacts(graph, components), ...(layers && { layers }) },
    measures: Object.fromEntries(
      [...measured, ...ofBlocks].map(([{ id }, { summary }]) => [id, summary]),
    ),
    ...(ofBlocks.length > 0 && {
      blocks: graph.blocks.map(({ name, head, rows, columns, groups, taps }, i) => ({
        name,
        ...(head && { head }),
        rows,
        columns,
        groups,
        taps,
        ...Object.fromEntries(ofBlocks.map(([{ id }, result]) => [id, result.blocks[i]])),
      })),
    }),
    ...(nodes && {
      nodes: {
        ...places(graph),
        ...Object.fromEntries(measured.map(([{ id }, result]) => [id, result.nodes])),
      },
    }),
    ...(results.against && { null: nullDocument(results.against, graph, { nodes, top }) }),
    warnings,
  };
}

/** For each node the number of its layer and its place there. */
function places({ layers }: LayeredGraph): { layer: number[]; index: number[] } {
  const layer: number[] = [];
  const index: number[] = [];
  for (const [number, { size }] of layers.entries()) {
    for (let i = 0; i < size; i++) {
      layer.push(number);
      index.push(i);
    }
  }
  return { layer, index };
}

function printAnalysis(
  context: CliContext,
  { graph, components, warnings }: MeasurableGraph,
  results: Results,
  { nodes, top }: Shown,
): void {
  const out: string[] = [];
  const nameOf = nodeNames(graph);
  if (nodes) {
    const { layer, index } = places(graph);
    const measured = Array.from(results.nodes);
    out.push(
      renderTable(
        ["layer", "neuron", ...measured.map(([{ id }]) => id)],
        layer.map((number, node) => [
          graph.layers[number]?.name,
          index[node],
          ...measured.map(([, result]) => result.nodes[node]),
        ]),
      ),
    );
  } else if (results.nodes.size > 0) {
    const headers = ["measure", "neurons", "mean", "median", "sd", "skewness", "kurtosis"];
    out.push(
      renderTable(
        [...headers, "min", "max"],
        Array.from(
          results.nodes,
          ([
            { id },
            {
              summary: { summary },
            },
          ]) => [
            id,
            summary?.count,
            summary?.mean,
            summary?.median,
            summary?.std,
            summary?.skewness,
            summary?.kurtosis,
            summary?.min,
            summary?.max,
          ],
        ),
      ),
    );
    for (const [{ id, title }, result] of results.nodes) {
      if (top === 0) continue;
      const best = strongest(result.nodes, top);
      const rows = best.map(([node, value]) => [nameOf(node), value]);
      out.push("", `${title}, largest`, renderTable(["neuron", id], rows));
    }
  }
  for (const [{ title, outputs }, result] of results.blocks) {
    if (out.length > 0) out.push("");
    const figures = outputs.map(({ name }) => name);
    const rows = result.blocks.map((own, i) => [
      graph.blocks[i]!.name,
      ...figures.map((name) => own[name]),
    ]);
    out.push(title, renderTable(["block", ...figures], rows));
  }
  if (results.against !== null) out.push(...nullText(results.against, graph, top));
  context.process.stdout.write(`${out.join("\n")}\n`);
  for (const line of graphLines(graph, components)) say(context, line);
  sayWarnings(context, warnings);
}

/** The `count` nodes of largest magnitude, with their values. */
function strongest(values: readonly (number | null)[], count: number): [number, number][] {
  return values
    .flatMap((value, node): [number, number][] => (value === null ? [] : [[node, value]]))
    .sort(([, a], [, b]) => Math.abs(b) - Math.abs(a))
    .slice(0, count);
}
