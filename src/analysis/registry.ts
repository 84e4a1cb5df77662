/** Every measure, by id. A new measure is one file, which describes itself, and one entry here. */
import { UsageError } from "../errors.ts";
import { bipartiteClusteringMeasure } from "./bipartiteClustering.ts";
import { coreNumberMeasure } from "./coreNumber.ts";
import { eigenvectorCentralityMeasure } from "./eigenvectorCentrality.ts";
import { hitsMeasure } from "./hits.ts";
import { hypercoreNumberMeasure } from "./hypercoreNumber.ts";
import { katzMeasure } from "./katz.ts";
import type { BlockMeasure, Measure } from "./measure.ts";
import { nodeStrengthMeasure } from "./nodeStrength.ts";
import { pagerankMeasure } from "./pagerank.ts";
import { persistenceMeasure } from "./persistence.ts";
import { spectrumMeasure } from "./spectrum.ts";
import { subgraphCentralityMeasure } from "./subgraphCentrality.ts";
import { weightedDegreeMeasure } from "./weightedDegree.ts";

/** Measures of single neurons. */
export const measures: readonly Measure[] = [
  nodeStrengthMeasure,
  weightedDegreeMeasure,
  eigenvectorCentralityMeasure,
  coreNumberMeasure,
  hypercoreNumberMeasure,
  pagerankMeasure,
  hitsMeasure,
  katzMeasure,
  bipartiteClusteringMeasure,
  subgraphCentralityMeasure,
];

/** Measures of whole blocks: what a layer's weights are like. */
export const blockMeasures: readonly BlockMeasure[] = [spectrumMeasure, persistenceMeasure];

/** The measure of neurons named `id`. @throws {UsageError} `USAGE_UNKNOWN_MEASURE` */
export function measureById(id: string): Measure {
  const found = measures.find((candidate) => candidate.id === id);
  if (found === undefined) throw unknownMeasure(id, measures);
  return found;
}

/** The measure of neurons or blocks named `id`. @throws {UsageError} `USAGE_UNKNOWN_MEASURE` */
export function anyMeasureById(id: string): Measure | BlockMeasure {
  const all = [...measures, ...blockMeasures];
  const found = all.find((candidate) => candidate.id === id);
  if (found === undefined) throw unknownMeasure(id, all);
  return found;
}

function unknownMeasure(id: string, known: readonly { readonly id: string }[]): UsageError {
  return new UsageError("USAGE_UNKNOWN_MEASURE", `no measure is named ${JSON.stringify(id)}`, {
    hint: `Measures: ${known.map((candidate) => candidate.id).join(", ")}.`,
  });
}
