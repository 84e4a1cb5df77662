/** Which record of which log belongs to which checkpoint. */
import type { ModelWarning } from "../../model/model.ts";
import type { SeriesLog, SeriesUnit } from "../../model/series.ts";
import type { Checkpoint } from "./chooseRun.ts";
import type { LogRecord } from "./logs/logRecord.ts";
import type { FoundLog } from "./logs/readLogs.ts";
import { listed } from "./seriesFile.ts";

export interface JoinedMetrics {
  /** Of each checkpoint, in order. */
  readonly metrics: readonly Readonly<Record<string, number>>[];
  readonly logs: readonly SeriesLog[];
}

/**
 * Joins logs to the checkpoints of a run. An epoch meets an epoch and a step a step; of several records of one epoch the last
 * step counts for each metric. Logs come most telling first: where two differ, the first is kept and it is told. What the name of
 * a checkpoint says counts where no log says it, or rounds to it.
 */
export function joinMetrics(
  checkpoints: readonly Checkpoint[],
  unit: SeriesUnit,
  logs: readonly FoundLog[],
  warnings: ModelWarning[],
): JoinedMetrics {
  const joined = checkpoints.map(() => new Map<string, number>());
  const conflicts: string[] = [];
  const told: SeriesLog[] = [];
  const logged = new Set<number>();
  for (const log of logs) {
    const match = matchOf(checkpoints, unit, log.records);
    if (match.note !== null)
      warnings.push({ code: match.code, message: `${log.name}: ${match.note}` });
    const byMoment =
      match.by === null ? new Map<number, Metrics>() : byCount(log, match.by, conflicts);
    let attached = 0;
    for (const [i, checkpoint] of checkpoints.entries()) {
      const own = byMoment.get(momentOf(checkpoint, unit, match.by) + match.shift);
      if (own === undefined) continue;
      attached++;
      for (const [name, { value }] of own) {
        const known = joined[i]!.get(name);
        if (known === undefined) joined[i]!.set(name, value);
        else if (!agrees(known, value)) {
          conflicts.push(
            `${name} of ${unit} ${checkpoint.epoch} is ${known}, in ${log.name} ${value}`,
          );
        }
      }
    }
    if (match.by === unit) for (const moment of byMoment.keys()) logged.add(moment - match.shift);
    told.push({ name: log.name, by: match.by, records: log.records.length, attached });
  }
  const metrics = checkpoints.map((checkpoint, i) => {
    const own = joined[i]!;
    for (const [name, value] of Object.entries(checkpoint.metrics)) {
      const known = own.get(name);
      if (known === undefined) continue;
      if (!agrees(known, value)) {
        conflicts.push(`${name} of ${unit} ${checkpoint.epoch} is ${known}, in its name ${value}`);
      }
    }
    return Object.fromEntries([...Object.entries(checkpoint.metrics), ...own]);
  });
  if (conflicts.length > 0) {
    const message = `metrics differ between logs, the first is kept: ${listed(conflicts)}`;
    warnings.push({ code: "SERIES_METRIC_CONFLICT", message });
  }
  warnAboutMissing(checkpoints, { unit, joined, logged }, warnings);
  warnAboutNotFinite(checkpoints, unit, metrics, warnings);
  return { metrics, logs: told };
}

/** What names alone leave open, by the logs: of numbers without a word, whether they count epochs or steps. */
export function unitOf(
  checkpoints: readonly Checkpoint[],
  logs: readonly FoundLog[],
  warnings: ModelWarning[],
): SeriesUnit {
  const own = checkpoints.find(({ unit }) => unit !== null)?.unit;
  if (own != null) return own;
  const records = logs.flatMap((log) => log.records);
  const hits = (kind: SeriesUnit): number => {
    const known = new Set(records.map((record) => record[kind]));
    return checkpoints.filter(({ epoch }) => known.has(epoch)).length;
  };
  const [epochs, steps] = [hits("epoch"), hits("step")];
  if (epochs !== steps) return epochs > steps ? "epoch" : "step";
  const message = `no name or log says what the numbers count, such as in ${checkpoints[0]!.file.name}: taken for epochs`;
  warnings.push({ code: "SERIES_UNIT_ASSUMED", message });
  return "epoch";
}

interface Match {
  readonly by: SeriesUnit | null;
  /** Added to a checkpoint's epoch to find its record. */
  readonly shift: 0 | -1;
  readonly code: string;
  readonly note: string | null;
}

type Metrics = ReadonlyMap<string, { readonly value: number; readonly step: number }>;

function matchOf(
  checkpoints: readonly Checkpoint[],
  unit: SeriesUnit,
  records: readonly LogRecord[],
): Match {
  const fits = (
    by: SeriesUnit | null,
    note: string | null = null,
    code = "SERIES_LOG_BY",
  ): Match => ({
    by,
    note,
    code,
    shift: 0,
  });
  const counted = (by: SeriesUnit): Set<number> =>
    new Set(records.flatMap((record) => record[by] ?? []));
  const [epochs, steps] = [counted("epoch"), counted("step")];
  if (unit === "step") {
    if (steps.size > 0) return fits("step");
    return fits(
      null,
      "it counts epochs, the checkpoints count steps: not used",
      "SERIES_LOG_UNUSED",
    );
  }
  if (epochs.size > 0) return byEpoch(checkpoints, records, epochs);
  if (checkpoints.every(({ step }) => step !== null)) {
    return fits(
      "step",
      "it counts steps alone, so the steps in the checkpoints' names are matched",
    );
  }
  const moments = checkpoints.map(({ epoch }) => epoch);
  const isNumberedAlike =
    moments.some((epoch) => steps.has(epoch)) && largest(steps) <= largest(moments) + 1;
  if (isNumberedAlike) {
    return fits(
      "step",
      "it counts steps alone; they run like the epochs, so they are taken for these",
    );
  }
  return fits(null, "it counts steps, the checkpoints count epochs: not used", "SERIES_LOG_UNUSED");
}

/**
 * Keras counts epochs from 1 in the names of checkpoints and from 0 in its logs. Metrics in the names prove it where each of two
 * or more is that of the epoch before, and not that of its own; without proof numbers are matched as they stand, and it is told.
 */
function byEpoch(
  checkpoints: readonly Checkpoint[],
  records: readonly LogRecord[],
  epochs: ReadonlySet<number>,
): Match {
  const measured = checkpoints.filter(({ metrics }) => Object.keys(metrics).length > 0);
  const ofEpoch = new Map<number | null, LogRecord[]>();
  for (const record of records) {
    const same = ofEpoch.get(record.epoch);
    if (same === undefined) ofEpoch.set(record.epoch, [record]);
    else same.push(record);
  }
  const proofs = (shift: number): number =>
    measured.filter(({ epoch, metrics }) =>
      ofEpoch.get(epoch + shift)?.some((record) => isNamed(metrics, record)),
    ).length;
  const [first, last] = [checkpoints[0]!.epoch, checkpoints.at(-1)!.epoch];
  const [from, to] = [-largest([...epochs].map((epoch) => -epoch)), largest(epochs)];
  const base = { by: "epoch", shift: 0, code: "SERIES_LOG_OFFSET", note: null } as const;
  if (measured.length >= 2 && proofs(-1) === measured.length && proofs(0) < measured.length) {
    const note =
      "metrics in the checkpoints' names are those of the epoch before: matched with one epoch less";
    return { ...base, shift: -1, note };
  }
  if (first > 0 && from === 0 && to === last - 1 && proofs(0) === 0) {
    const note = `it runs from epoch ${from} to ${to}, the checkpoints from ${first} to ${last}: perhaps one counts from 0, the other from 1; matched as numbered`;
    return { ...base, note };
  }
  return base;
}

function largest(values: Iterable<number>): number {
  let found = -Infinity;
  for (const value of values) if (value > found) found = value;
  return found;
}

function isNamed(names: Readonly<Record<string, number>>, { metrics }: LogRecord): boolean {
  return Object.entries(names).every(([name, value]) => {
    const own = metrics.get(name);
    if (own !== undefined || !name.startsWith("metric"))
      return own !== undefined && agrees(own, value);
    return [...metrics.values()].some((one) => agrees(one, value));
  });
}

function momentOf(checkpoint: Checkpoint, unit: SeriesUnit, by: SeriesUnit | null): number {
  return by === "step" && unit === "epoch"
    ? (checkpoint.step ?? checkpoint.epoch)
    : checkpoint.epoch;
}

/** Records by epoch or step; within one, the last step wins, and two values at one place contradict each other. */
function byCount(
  { name: logName, records }: FoundLog,
  by: SeriesUnit,
  conflicts: string[],
): Map<number, Metrics> {
  const found = new Map<number, Map<string, { value: number; step: number }>>();
  for (const record of records) {
    const moment = record[by];
    if (moment === null) continue;
    const own = found.get(moment) ?? new Map<string, { value: number; step: number }>();
    found.set(moment, own);
    const step = record.step ?? 0;
    for (const [name, value] of record.metrics) {
      const known = own.get(name);
      if (known !== undefined && known.step > step) continue;
      if (known !== undefined && known.step === step && !agrees(known.value, value)) {
        conflicts.push(
          `${name} of ${by} ${moment} is ${known.value} and later ${value} in ${logName}`,
        );
        // Written again by a run that went on or began anew: the later line is the newer.
      }
      own.set(name, { value, step });
    }
  }
  return found;
}

/** Equal, or one is the other rounded to fewer decimals. */
function agrees(a: number, b: number): boolean {
  if (Object.is(a, b) || a === b) return true;
  if (!Number.isFinite(a) || !Number.isFinite(b)) return false;
  const digits = (value: number): number => (/[.](\d+)$/.exec(String(value))?.[1] ?? "0").length;
  const isExponent = /e/.test(`${a}${b}`);
  if (isExponent) return Math.abs(a - b) <= 1e-4 * Math.max(Math.abs(a), Math.abs(b));
  const decimals = Math.max(1, Math.min(digits(a), digits(b)));
  return Math.abs(a - b) <= 0.5 * 10 ** -decimals * (1 + 1e-6);
}

function warnAboutMissing(
  checkpoints: readonly Checkpoint[],
  {
    unit,
    joined,
    logged,
  }: {
    readonly unit: SeriesUnit;
    readonly joined: readonly ReadonlyMap<string, number>[];
    readonly logged: ReadonlySet<number>;
  },
  warnings: ModelWarning[],
): void {
  if (joined.every(({ size }) => size === 0)) return;
  const bare = checkpoints.filter((_, i) => joined[i]!.size === 0).map(({ epoch }) => `${epoch}`);
  if (bare.length > 0) {
    const message = `checkpoints of which no log says anything: ${unit} ${listed(bare)}`;
    warnings.push({ code: "SERIES_NOT_LOGGED", message });
  }
  // Steps are logged far more often than saved.
  if (unit === "step") return;
  const saved = new Set(checkpoints.map(({ epoch }) => epoch));
  const lost = [...logged].filter((moment) => Number.isInteger(moment) && !saved.has(moment));
  if (lost.length > 0) {
    const message = `logged, but without a checkpoint: epoch ${listed(lost.sort((a, b) => a - b).map(String))}`;
    warnings.push({ code: "SERIES_NOT_SAVED", message });
  }
}

function warnAboutNotFinite(
  checkpoints: readonly Checkpoint[],
  unit: SeriesUnit,
  metrics: readonly Readonly<Record<string, number>>[],
  warnings: ModelWarning[],
): void {
  const found = checkpoints.flatMap(({ epoch }, i) =>
    Object.entries(metrics[i]!).flatMap(([name, value]) =>
      Number.isFinite(value) ? [] : [`${name} at ${unit} ${epoch} is ${value}`],
    ),
  );
  if (found.length === 0) return;
  const message = `metrics that are no finite number, null in JSON: ${listed(found)}`;
  warnings.push({ code: "SERIES_METRIC_NOT_FINITE", message });
}
