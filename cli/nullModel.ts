/** `analyze --null`: its flags, the run over samples, and what is said of it. */
import type { FlagParametersForType } from "@stricli/core";
import { setImmediate } from "node:timers/promises";
import {
  includeRecurrent,
  nullModels,
  nullSampler,
  nullTally,
  UsageError,
  type BlockMeasure,
  type BlockMeasureResult,
  type LayeredGraph,
  type Measure,
  type MeasureResult,
  type MeasureScores,
  type NullModel,
  type NullRun,
  type NullScore,
  type ParameterValues,
} from "../src/node.ts";
import { progressLine, type CliContext } from "./context.ts";
import { wholeNumber } from "./flags.ts";
import { nodeNames } from "./graphFacts.ts";
import { withGraphFlags, type GraphFlags } from "./graphFlags.ts";
import { renderTable } from "./render.ts";
import type { MeasurableGraph, UnrolledFlags } from "./unrolledInput.ts";

export interface NullFlags {
  readonly null?: NullModel;
  readonly nullSamples?: number;
  readonly seed?: number;
}

const defaultSamples = 20;

export const nullFlags: FlagParametersForType<NullFlags> = {
  null: {
    kind: "enum",
    values: nullModels,
    brief: "Random weights to hold every measure against, by z-scores",
    optional: true,
  },
  nullSamples: {
    kind: "parsed",
    parse: wholeNumber,
    brief: `With --null: how many samples to draw (default: ${defaultSamples})`,
    placeholder: "N",
    optional: true,
  },
  seed: {
    kind: "parsed",
    parse: wholeNumber,
    brief: "With --null: seed of every random draw (default: 0)",
    placeholder: "S",
    optional: true,
  },
};

/** @throws {UsageError} `USAGE_INVALID_OPTION` for an unrolled graph, for fewer than two samples, and for flags without --null. */
export function checkNullFlags({
  null: model,
  nullSamples,
  seed,
  graph,
}: NullFlags & Pick<UnrolledFlags, "graph">): void {
  if (model === undefined && (nullSamples !== undefined || seed !== undefined)) {
    throw new UsageError("USAGE_INVALID_OPTION", "--null-samples and --seed are of --null only");
  }
  if (model !== undefined && graph === "unrolled") {
    throw new UsageError("USAGE_INVALID_OPTION", "--null is of --graph rolled only", {
      hint: "An unrolled graph repeats each weight, which samples by edge would not.",
    });
  }
  if (nullSamples !== undefined && nullSamples < 2) {
    throw new UsageError("USAGE_INVALID_OPTION", `--null-samples must be >= 2, not ${nullSamples}`);
  }
}

export interface NullComparison {
  readonly model: NullModel;
  readonly samples: number;
  readonly seed: number;
  readonly measures: readonly { readonly run: NullRun; readonly scores: MeasureScores }[];
}

interface Measured {
  readonly flags: NullFlags & GraphFlags & { readonly threads: number };
  readonly results: {
    readonly nodes: ReadonlyMap<Measure, MeasureResult>;
    readonly blocks: ReadonlyMap<BlockMeasure, BlockMeasureResult>;
  };
  readonly parameters: ReadonlyMap<Measure | BlockMeasure, ParameterValues>;
}

/** Measures the samples; null without --null. The samples are weighed and transformed as the graph was. */
export async function compareWithNull(
  context: CliContext,
  { asRead }: MeasurableGraph,
  { flags, results, parameters }: Measured,
): Promise<NullComparison | null> {
  const { null: model, nullSamples: samples = defaultSamples, seed = 0, threads } = flags;
  if (model === undefined || asRead === undefined) return null;
  const given = (measure: Measure | BlockMeasure): ParameterValues => parameters.get(measure) ?? {};
  const runs: NullRun[] = [
    ...Array.from(results.nodes, ([measure, result]) => ({
      measure,
      result,
      parameters: given(measure),
    })),
    ...Array.from(results.blocks, ([measure, result]) => ({
      measure,
      result,
      parameters: given(measure),
    })),
  ];
  const sampleOf = nullSampler(flags.recurrent ? includeRecurrent(asRead) : asRead, {
    model,
    seed,
    threads,
  });
  const tally = nullTally(runs);
  const progress = progressLine(context, "null model:");
  for (let index = 0; index < samples; index++) {
    const sample = withGraphFlags(sampleOf(index), { ...flags, recurrent: false });
    for (const [i, { measure }] of runs.entries()) {
      progress.update(`sample ${index + 1} of ${samples}, ${measure.id}`);
      // As between measures: Ctrl-C gets its turn.
      await setImmediate();
      context.signal.throwIfAborted();
      tally.add(i, sample);
    }
  }
  progress.done();
  const scores = tally.scores();
  return { model, samples, seed, measures: runs.map((run, i) => ({ run, scores: scores[i]! })) };
}

/** The `null` of an analysis: columns of nodes with `nodes`, else the `top` of largest |z|. */
export function nullDocument(
  { model, samples, seed, measures }: NullComparison,
  graph: LayeredGraph,
  { nodes, top }: { readonly nodes: boolean; readonly top: number },
): Record<string, unknown> {
  return {
    model,
    samples,
    seed,
    measures: Object.fromEntries(
      measures.map(({ run, scores }) => {
        const { summary } = scores;
        if (scores.of === "blocks") return [run.measure.id, { summary, blocks: scores.blocks }];
        if (nodes) return [run.measure.id, { summary, nodes: scores.nodes }];
        const extremes = extremesOf(run, scores, top).map(({ node, value, score }) => {
          const layer = graph.layers.findLastIndex(({ offset }) => offset <= node);
          return { layer, index: node - graph.layers[layer]!.offset, value, ...score };
        });
        return [run.measure.id, { summary, extremes }];
      }),
    ),
  };
}

/** Lines for the terminal: the neurons of largest |z| of each measure, the blocks of each measure of blocks. */
export function nullText(
  { model, samples, seed, measures }: NullComparison,
  graph: LayeredGraph,
  top: number,
): string[] {
  const nameOf = nodeNames(graph);
  const out = ["", `Null model ${model}, ${samples} samples, seed ${seed}`];
  for (const { run, scores } of measures) {
    const { id, title } = run.measure;
    if (scores.of === "blocks") {
      const rows = scores.blocks.flatMap((figures, i) =>
        Object.entries(figures).map(([name, { mean, std, z }]) => [
          graph.blocks[i]!.name,
          name,
          (run.result as BlockMeasureResult).blocks[i]![name],
          mean,
          std,
          z,
        ]),
      );
      const headers = ["block", "figure", id, "null mean", "null sd", "z"];
      out.push("", `${title}, against the null model`, renderTable(headers, rows));
    } else if (top > 0) {
      const rows = extremesOf(run, scores, top).map(({ node, value, score: { mean, std, z } }) => [
        nameOf(node),
        value,
        mean,
        std,
        z,
      ]);
      const headers = ["neuron", id, "null mean", "null sd", "z"];
      out.push("", `${title}, largest |z|`, renderTable(headers, rows));
    }
  }
  return out;
}

interface Extreme {
  readonly node: number;
  readonly value: number;
  readonly score: NullScore;
}

/** The `count` nodes of largest |z|, the earlier node first among equals. */
function extremesOf(
  { result }: NullRun,
  scores: Extract<MeasureScores, { of: "nodes" }>,
  count: number,
): Extreme[] {
  const { mean, std, z } = scores.nodes;
  const values = (result as MeasureResult).nodes;
  return z
    .flatMap((score, node) => (score === null ? [] : [{ node, size: Math.abs(score) }]))
    .sort((a, b) => b.size - a.size)
    .slice(0, count)
    .map(({ node }) => ({
      node,
      value: values[node]!,
      score: { mean: mean[node]!, std: std[node]!, z: z[node]! },
    }));
}
