import type { ColumnTable } from "arquero";
import type { SignatureRecord } from "../analysis/temporalSignature.ts";
import { signatureStatistics } from "../analysis/summarise.ts";

/** What was logged at each epoch, by name. */
export interface EpochMetrics {
  readonly epoch: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/**
 * A run as an arquero table: a row per epoch (and per layer, when the records are per layer), with the logged metrics and, for
 * each measure, `degree.mean`, `degree.median`, `degree.std`, `degree.skewness`, `degree.kurtosis`.
 * Null where an epoch has no value. Cost: O(records). Loads arquero when it is first called.
 */
export async function epochTable(
  records: readonly SignatureRecord[],
  logged: readonly EpochMetrics[],
): Promise<ColumnTable> {
  const { table } = await import("arquero");
  const metricsOf = new Map(logged.map(({ epoch, metrics }) => [epoch, metrics]));
  const metricNames = [...new Set(logged.flatMap(({ metrics }) => Object.keys(metrics)))];
  const measures = [...new Set(records.map(({ measure }) => measure))];
  const byLayer = records.some(({ layer }) => layer !== null);

  const rows = new Map<string, Map<string, SignatureRecord>>();
  for (const record of records) {
    const key = JSON.stringify([record.epoch, record.layer]);
    const row = rows.get(key) ?? new Map<string, SignatureRecord>();
    rows.set(key, row.set(record.measure, record));
  }
  const firsts = Array.from(rows.values(), (row) => row.values().next().value!);
  const columns = new Map<string, unknown[]>([["epoch", firsts.map(({ epoch }) => epoch)]]);
  if (byLayer)
    columns.set(
      "layer",
      firsts.map(({ layer }) => layer),
    );
  for (const name of metricNames) {
    columns.set(
      name,
      firsts.map(({ epoch }) => {
        const own = metricsOf.get(epoch);
        return own !== undefined && Object.hasOwn(own, name) ? own[name] : null;
      }),
    );
  }
  for (const measure of measures) {
    for (const statistic of signatureStatistics) {
      columns.set(
        `${measure}.${statistic}`,
        Array.from(rows.values(), (row) => row.get(measure)?.[statistic] ?? null),
      );
    }
  }
  return table(Object.fromEntries(columns));
}
