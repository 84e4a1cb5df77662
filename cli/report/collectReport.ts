import {
  coverageOf,
  layeredGraph,
  reduceGraph,
  snapshotRecords,
  summariseLayers,
  viewEpoch,
  viewStructure,
  type Coverage,
  type LayerSummary,
  type Model,
  type Series,
  type SignatureRecord,
  type ViewEpoch,
  type ViewStructure,
} from "../../src/index.ts";
import { followSeries } from "../followSeries.ts";
import { viewMeasures } from "../view/viewMeasures.ts";
import type { EpochMetrics } from "./epochsPlot.ts";
import { weightHistogram, type WeightHistogram } from "./layerPlots.ts";

/** Everything that the report shows, read and measured. */
export interface ReportData {
  readonly model: Pick<Model, "name" | "format" | "producer" | "warnings">;
  readonly layers: readonly LayerSummary[];
  readonly coverage: Coverage;
  readonly structure: ViewStructure;
  /** Measures of the model's neurons, and its strongest edges. */
  readonly view: ViewEpoch;
  /** Of the largest layers, in graph order. */
  readonly histograms: readonly WeightHistogram[];
  readonly training: TrainingData | null;
}

export interface TrainingData {
  readonly name: string;
  readonly records: readonly SignatureRecord[];
  readonly metrics: readonly EpochMetrics[];
  readonly warnings: Series["warnings"];
}

export interface CollectReportOptions {
  /** The training that led to the model, or any other series to follow. */
  readonly series?: Series;
  /** Edges in the picture of the graph. @defaultValue 6000 */
  readonly edgeBudget?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (what: string) => void;
}

/** Layers whose weights are counted; a report of hundreds of plots is read by nobody. */
const mostHistograms = 12;

/**
 * Reads a model, and a series if one is given, for `renderReport`. One graph is held at a time.
 * @throws {WeightGraphError} of the readers, `WEIGHTS_NOT_FINITE`, `GRAPH_NO_EDGES`
 */
export async function collectReport(
  model: Model,
  { series, edgeBudget = 6000, signal, onProgress }: CollectReportOptions = {},
): Promise<ReportData> {
  onProgress?.(`reading ${model.name}`);
  const layers = await summariseLayers(model, { ...(signal && { signal }) });
  const graph = await layeredGraph(model);
  onProgress?.(`measuring ${graph.nodeCount} neurons`);
  const measures = viewMeasures(graph);
  signal?.throwIfAborted();
  const reduced = reduceGraph(graph, { edgeBudget });
  return {
    model,
    layers,
    coverage: coverageOf(model),
    structure: viewStructure(graph, { name: model.name }),
    view: viewEpoch(graph, 0, { measures, reduced }),
    histograms: await histogramsOf(model, signal),
    training: series === undefined ? null : await followTraining(series, { signal, onProgress }),
  };
}

async function histogramsOf(
  { layers }: Model,
  signal: AbortSignal | undefined,
): Promise<WeightHistogram[]> {
  const sizes = layers.map(({ in: from, out, layout }) => from * out * layout.taps);
  const order = sizes.map((_, i) => i).sort((a, b) => sizes[b]! - sizes[a]! || a - b);
  const chosen = new Set(order.slice(0, mostHistograms));
  const histograms: WeightHistogram[] = [];
  for (const [i, { name, tensor }] of layers.entries()) {
    signal?.throwIfAborted();
    if (chosen.has(i)) histograms.push(weightHistogram(name, await tensor.read()));
  }
  return histograms;
}

async function followTraining(
  series: Series,
  {
    signal,
    onProgress,
  }: {
    readonly signal: AbortSignal | undefined;
    readonly onProgress: ((what: string) => void) | undefined;
  },
): Promise<TrainingData> {
  const records: SignatureRecord[] = [];
  const followed = followSeries(series, { signal, ...(onProgress && { onProgress }) });
  for await (const graph of followed.graphs()) records.push(...snapshotRecords(graph));
  const metrics = followed.snapshots.map(({ epoch, metrics }) => ({ epoch, metrics }));
  return { name: series.name, records, metrics, warnings: followed.warnings() };
}
