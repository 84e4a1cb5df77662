/**
 * Measures beside what they come to on samples of a null model: mean, standard deviation and z-score of every figure.
 *
 * z = (value - mean) / std, std over the samples, unbiased (ddof 1). A figure that has no value, in the graph or in a sample, has
 * null for all three, and so has what leaves float64. A std below 1e-12 of the largest magnitude of its kind is rounding: 0, and z null.
 * Cost: the measures of each sample; three numbers a figure, whatever the number of samples.
 * Source: Welford 1962, doi 10.1080/00401706.1962.10490022 (running moments).
 */
import { UsageError } from "../errors.ts";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import type {
  BlockMeasure,
  BlockMeasureResult,
  Measure,
  MeasureResult,
  ParameterValues,
} from "./measure.ts";

/** A measure, and what it says of the graph itself. */
export type NullRun = { readonly parameters?: ParameterValues } & (
  | { readonly measure: Measure; readonly result: MeasureResult }
  | { readonly measure: BlockMeasure; readonly result: BlockMeasureResult }
);

export interface NullScore {
  readonly mean: number | null;
  readonly std: number | null;
  readonly z: number | null;
}

/** Columns: a value per figure. */
export interface NullScores {
  readonly mean: readonly (number | null)[];
  readonly std: readonly (number | null)[];
  readonly z: readonly (number | null)[];
}

/** Of one measure. `summary`: of figures of the graph as a whole, by name. */
export type MeasureScores =
  | {
      readonly of: "nodes";
      readonly summary: Readonly<Record<string, NullScore>>;
      /** In node order. */
      readonly nodes: NullScores;
    }
  | {
      readonly of: "blocks";
      readonly summary: Readonly<Record<string, NullScore>>;
      /** In order of the graph's blocks, a score for each figure. */
      readonly blocks: readonly Readonly<Record<string, NullScore>>[];
    };

export interface NullTally {
  /** Runs a measure, by its place among `runs`, on a sample. @throws {WeightGraphError} of the measure */
  add(run: number, sample: LayeredGraph): void;
  /** In order of `runs`. @throws {UsageError} `USAGE_INVALID_OPTION` before two samples were added */
  scores(): readonly MeasureScores[];
}

/** Holds each of `runs` against the samples that are added. */
export function nullTally(runs: readonly NullRun[]): NullTally {
  const tallies = runs.map((run) => (run.measure.of === "nodes" ? ofNodes(run) : ofBlocks(run)));
  return {
    add: (run, sample) => tallies[run]!.add(sample),
    scores: () => tallies.map((tally) => tally.scores()),
  };
}

interface MeasureTally {
  add(sample: LayeredGraph): void;
  scores(): MeasureScores;
}

/** Figures of a summary that are of the measure's own unit, and those that have none. */
const summaryFigures = [
  { names: ["mean", "median", "std", "min", "max"], leastScale: 0 },
  { names: ["skewness", "kurtosis"], leastScale: 1 },
] as const;

function ofNodes({ measure, parameters, result }: NullRun): MeasureTally {
  const own = result as MeasureResult;
  const nodes = running(own.nodes.length);
  const groups = summaryFigures.map(({ names, leastScale }) => ({
    names,
    tally: running(names.length, leastScale),
    of: ({ summary: { summary } }: MeasureResult) => names.map((name) => summary?.[name] ?? null),
  }));
  return {
    add(sample) {
      const drawn = (measure as Measure).run(sample, parameters);
      nodes.add(drawn.nodes);
      for (const { tally, of } of groups) tally.add(of(drawn));
    },
    scores: () => ({
      of: "nodes",
      summary: Object.fromEntries(
        groups.flatMap(({ names, tally, of }) => byName(names, tally.scores(of(own)))),
      ),
      nodes: nodes.scores(own.nodes),
    }),
  };
}

function ofBlocks({ measure, parameters, result }: NullRun): MeasureTally {
  const own = result as BlockMeasureResult;
  const { outputs, run } = measure as BlockMeasure;
  const facts = Object.keys(own.summary)
    .filter((name) => isFigure(own.summary[name]))
    .map((name) => ({ name, tally: running(1), of: factOf(name) }));
  const figures = outputs.map(({ name }) => ({
    name,
    tally: running(own.blocks.length),
    of: ({ blocks }: BlockMeasureResult) => blocks.map((block) => block[name] ?? null),
  }));
  return {
    add(sample) {
      const drawn = run(sample, parameters);
      for (const { tally, of } of [...facts, ...figures]) tally.add(of(drawn));
    },
    scores() {
      const columns = figures.map(({ name, tally, of }) => ({ name, ...tally.scores(of(own)) }));
      return {
        of: "blocks",
        summary: Object.fromEntries(
          facts.flatMap(({ name, tally, of }) => byName([name], tally.scores(of(own)))),
        ),
        blocks: own.blocks.map((_, i) =>
          Object.fromEntries(columns.map(({ name, ...scores }) => [name, scoreAt(scores, i)])),
        ),
      };
    },
  };
}

function isFigure(value: unknown): boolean {
  return value === null || typeof value === "number";
}

function factOf(name: string): (result: BlockMeasureResult) => (number | null)[] {
  return ({ summary }) => {
    const value = summary[name];
    return [typeof value === "number" ? value : null];
  };
}

function byName(names: readonly string[], scores: NullScores): [string, NullScore][] {
  return names.map((name, i) => [name, scoreAt(scores, i)]);
}

function scoreAt({ mean, std, z }: NullScores, i: number): NullScore {
  return { mean: mean[i] ?? null, std: std[i] ?? null, z: z[i] ?? null };
}

/** A spread below this share of the largest magnitude is rounding. */
const roundingShare = 1e-12;

interface Running {
  add(values: readonly (number | null)[]): void;
  scores(values: readonly (number | null)[]): NullScores;
}

/** Running moments of `count` figures of one kind, whose magnitudes count as `leastScale` at least. */
function running(count: number, leastScale = 0): Running {
  const means = new Float64Array(count);
  const squares = new Float64Array(count);
  const isUndefined = new Uint8Array(count);
  let samples = 0;
  let largest = leastScale;
  return {
    add(values) {
      samples++;
      values.forEach((value, i) => {
        if (value === null) isUndefined[i] = 1;
        else {
          largest = Math.max(largest, Math.abs(value));
          const before = value - means[i]!;
          means[i]! += before / samples;
          squares[i]! += before * (value - means[i]!);
        }
      });
    },
    scores(values) {
      if (samples < 2) {
        throw new UsageError("USAGE_INVALID_OPTION", "a null model needs two samples at least");
      }
      const scale = values.reduce<number>(
        (most, value) => Math.max(most, Math.abs(value ?? 0)),
        largest,
      );
      const isDefined = values.map((value, i) => value !== null && isUndefined[i] === 0);
      const spreads = Array.from(squares, (sum) => {
        const spread = Math.sqrt(sum / (samples - 1));
        return spread <= roundingShare * scale ? 0 : spread;
      });
      const z = values.map((value, i) => {
        const spread = spreads[i]!;
        const score = spread > 0 && spread < Infinity ? (value! - means[i]!) / spread : NaN;
        return isDefined[i] && Number.isFinite(score) ? score : null;
      });
      const known = (figures: ArrayLike<number>): (number | null)[] =>
        Array.from(figures, (figure, i) =>
          isDefined[i] && Number.isFinite(figure) ? figure : null,
        );
      return { mean: known(means), std: known(spreads), z };
    },
  };
}
