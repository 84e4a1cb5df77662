/**
 * Training-dynamics signature: what a predictor reads of a run, five numbers per snapshot and node feature.
 *
 * Definition: for each snapshot the measure's values, over all nodes or layer by layer, are summarised by mean, median,
 * standard deviation (ddof 0), skewness and excess kurtosis (both biased). The signature of one feature is these five for the
 * first snapshot, then for the second, and so on: 5k numbers for k snapshots; features follow one another.
 * Domain: snapshots of one network. Nodes that a measure does not cover are left out; a layer without any covered node has no
 * summary. Degrees grow with width: `normalise` divides by the mean or the largest value before summarising, so that networks
 * of different width compare; zeros stay zeros.
 * Cost: that of the measures, per snapshot; one graph is held at a time.
 * Source: in the style of Vahedian et al. 2022, doi 10.1145/3511808.3557628, which does not say which statistics it takes: the
 * five are ours. Golden: docs/measures/signature.md.
 */
import { AnalysisError, UsageError, WeightGraphError } from "../errors.ts";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import type { ParameterValues } from "./measure.ts";
import { requireOneOf } from "./options.ts";
import { measureById } from "./registry.ts";
import {
  signatureStatistics,
  summarise,
  type SignatureStatistic,
  type Summary,
} from "./summarise.ts";

export interface SignatureOptions {
  /** Ids of measures, each with parameters or with its defaults. @defaultValue degree and eigenvector */
  readonly measures?: readonly (
    string | { readonly id: string; readonly parameters: ParameterValues }
  )[];
  /** One summary over all nodes, or one per layer. @defaultValue "graph" */
  readonly scope?: "graph" | "layer";
  /** Divide the values of the scope by their mean or their largest first. @defaultValue "none" */
  readonly normalise?: "none" | "mean" | "max";
}

export interface EpochGraph {
  readonly epoch: number;
  readonly graph: LayeredGraph;
}

/** One feature at one moment. */
export interface SignatureRecord extends Summary {
  readonly epoch: number;
  /** Id of the measure. */
  readonly measure: string;
  /** Name of the layer, or null for the whole graph. */
  readonly layer: string | null;
}

export interface TemporalSignature {
  /** In order of snapshot, measure, layer. */
  readonly records: readonly SignatureRecord[];
  /** [features · snapshots · 5] */
  readonly vector: Float64Array;
  /** What each number of the vector is. */
  readonly columns: readonly {
    readonly measure: string;
    readonly layer: string | null;
    readonly epoch: number;
    readonly statistic: SignatureStatistic;
  }[];
}

/**
 * Signature of a run.
 * @throws {AnalysisError} `SERIES_EMPTY`, `SERIES_MISMATCH`, and what the measures throw, with the epoch in the path
 * @throws {UsageError} `USAGE_UNKNOWN_MEASURE`, `USAGE_INVALID_OPTION`
 */
export async function temporalSignature(
  graphs: AsyncIterable<EpochGraph> | Iterable<EpochGraph>,
  options: SignatureOptions = {},
): Promise<TemporalSignature> {
  const records: SignatureRecord[] = [];
  let shape: string | undefined;
  for await (const { epoch, graph } of graphs) {
    const own = graph.layers.map(({ name, size }) => `${name}: ${size}`).join(", ");
    shape ??= own;
    if (own !== shape) {
      throw new AnalysisError("SERIES_MISMATCH", `layers ${own} after layers ${shape}`, {
        path: [`epoch ${epoch}`],
      });
    }
    records.push(...snapshotRecords({ epoch, graph }, options));
  }
  if (records.length === 0) {
    throw new AnalysisError("SERIES_EMPTY", "no snapshots, so no signature");
  }
  const featureOf = ({ measure, layer }: SignatureRecord): string =>
    JSON.stringify([measure, layer]);
  const features = [...new Set(records.map(featureOf))];
  const ordered = features.flatMap((feature) => records.filter((r) => featureOf(r) === feature));
  return {
    records,
    vector: Float64Array.from(
      ordered.flatMap((record) => signatureStatistics.map((statistic) => record[statistic])),
    ),
    columns: ordered.flatMap(({ measure, layer, epoch }) =>
      signatureStatistics.map((statistic) => ({ measure, layer, epoch, statistic })),
    ),
  };
}

/** The records of one snapshot; `temporalSignature` joins them. Throws what it throws. */
export function snapshotRecords(
  { epoch, graph }: EpochGraph,
  {
    measures = ["degree", "eigenvector"],
    scope = "graph",
    normalise = "none",
  }: SignatureOptions = {},
): SignatureRecord[] {
  requireOneOf("scope", scope, ["graph", "layer"]);
  requireOneOf("normalise", normalise, Object.keys(divisors));
  const scopes =
    scope === "graph" ? [{ name: null, offset: 0, size: graph.nodeCount }] : graph.layers;
  return measures.flatMap((chosen) => {
    const { id, parameters } = typeof chosen === "string" ? { id: chosen, parameters: {} } : chosen;
    const measure = measureById(id);
    const { nodes } = within([`epoch ${epoch}`], () => measure.run(graph, parameters));
    return scopes.map(({ name, offset, size }) => {
      const values = Float64Array.from(
        nodes.slice(offset, offset + size).filter((value) => value !== null),
      );
      const path = [`epoch ${epoch}`, id, ...(name === null ? [] : [name])];
      return within(path, () => {
        const divisor = values.length === 0 ? 1 : divisors[normalise](summarise(values)) || 1;
        const summary = summarise(values.map((value) => value / divisor));
        return { epoch, measure: id, layer: name, ...summary };
      });
    });
  });
}

const divisors: Readonly<Record<"none" | "mean" | "max", (summary: Summary) => number>> = {
  none: () => 1,
  mean: ({ mean }) => mean,
  max: ({ max }) => max,
};

/** Runs `work`; what it throws of ours gets `path` in front. */
function within<T>(path: readonly string[], work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof WeightGraphError) || error instanceof UsageError) throw error;
    const { hint, details } = error;
    throw new AnalysisError(error.code, error.message, {
      path: [...path, ...error.path],
      details,
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}
