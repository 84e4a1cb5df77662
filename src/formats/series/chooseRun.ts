/** Of the dated models in a folder, those of one run: a model for each epoch, in order. */
import type { ModelWarning } from "../../model/model.ts";
import type { SeriesUnit } from "../../model/series.ts";
import type { FoundModel } from "./findCheckpoints.ts";
import { listed, type CheckpointDate, type SeriesFile } from "./seriesFile.ts";

export interface Checkpoint extends CheckpointDate {
  readonly file: SeriesFile;
  readonly format: string;
}

/** Checkpoints whose names agree but for the epoch. */
export interface Run {
  /** One per epoch, in order. */
  readonly chosen: readonly Checkpoint[];
  /** The same epochs again: in other formats, or as further files. */
  readonly others: readonly Checkpoint[];
  readonly duplicates: readonly Checkpoint[];
}

/** The runs in a folder, the one to follow first: with most epochs, then with words by its numbers, then by format and name. */
export function runsOf(models: readonly FoundModel[]): Run[] {
  const dated = models.flatMap(({ date, ...model }) =>
    date === null ? [] : { ...date, ...model },
  );
  const runs = groupsOf(dated, ({ unit, stem }) => JSON.stringify([unit, stem])).flatMap(byDay);
  return runs.map(runOf).sort(compareRuns);
}

/** Two files of one epoch on different days are two runs, unless days alone tell all files apart. */
function byDay(run: readonly Checkpoint[]): readonly (readonly Checkpoint[])[] {
  const days = groupsOf(run, ({ day }) => day);
  const isRepeated = groupsOf(run, ({ epoch, format }) => `${format} ${epoch}`).some(
    (same) => new Set(same.map(({ day }) => day)).size > 1,
  );
  return isRepeated && days.some(({ length }) => length > 1) ? days : [run];
}

function runOf(found: readonly Checkpoint[]): Run {
  const all = byStepWhereNeeded(found);
  const formats = groupsOf(all, ({ format }) => format).sort(
    (a, b) => epochCount(b) - epochCount(a) || (preference(a[0]!) < preference(b[0]!) ? -1 : 1),
  );
  const byEpoch = new Map<number, Checkpoint>();
  const others: Checkpoint[] = [];
  const duplicates: Checkpoint[] = [];
  for (const one of formats.flat()) {
    const taken = byEpoch.get(one.epoch);
    if (taken === undefined) byEpoch.set(one.epoch, one);
    else (taken.format === one.format ? duplicates : others).push(one);
  }
  const chosen = [...byEpoch.values()].sort((a, b) => a.epoch - b.epoch);
  return { chosen, others, duplicates };
}

/** Several checkpoints an epoch (`epoch=0-step=100`, `epoch=0-step=200`): only their steps tell them apart. */
function byStepWhereNeeded(run: readonly Checkpoint[]): readonly Checkpoint[] {
  const ofFormat = groupsOf(run, ({ format }) => format).sort((a, b) => b.length - a.length)[0]!;
  const steps = new Set(ofFormat.map(({ step }) => step));
  if (steps.has(null) || steps.size <= epochCount(ofFormat)) return run;
  return run.map((one) => ({ ...one, epoch: one.step ?? one.epoch, unit: "step" }));
}

function epochCount(run: readonly Checkpoint[]): number {
  return new Set(run.map(({ epoch }) => epoch)).size;
}

function preference({ format, stem }: Checkpoint): string {
  return `${format === "safetensors" ? 0 : 1} ${format} ${stem}`;
}

function compareRuns({ chosen: a }: Run, { chosen: b }: Run): number {
  const named = ([first]: readonly Checkpoint[]): number => (first!.isNamed ? 0 : 1);
  return (
    b.length - a.length || named(a) - named(b) || (preference(a[0]!) < preference(b[0]!) ? -1 : 1)
  );
}

/** What was left out of the folder beside the run that is followed, in words. */
export function warnAboutOthers(
  { chosen, others, duplicates }: Run,
  otherRuns: readonly Run[],
  warnings: ModelWarning[],
): void {
  const groups = [others, ...otherRuns.map((run) => [...run.chosen, ...run.others])].flatMap(
    (run) => groupsOf(run, ({ format }) => format),
  );
  if (groups.length > 0) {
    const names = groups.map(
      (run) => `${run.length} of ${run[0]!.format} (${run[0]!.file.name}, …)`,
    );
    const kinds = listed([...new Set(chosen.map(({ format }) => format))]);
    const message = `taken: ${chosen.length} checkpoints of ${kinds}; left out: ${listed(names)}`;
    warnings.push({ code: "SERIES_OTHERS", message });
  }
  const repeated = [...duplicates, ...otherRuns.flatMap((run) => run.duplicates)];
  if (repeated.length > 0) {
    const names = listed(repeated.map(({ file }) => file.name));
    const message = `left out, since their epoch was there already: ${names}`;
    warnings.push({ code: "SERIES_DUPLICATE", message });
  }
}

/** Where the format changes along the run. */
export function warnAboutFormats(chosen: readonly Checkpoint[], warnings: ModelWarning[]): void {
  const parts: { format: string; from: number; to: number }[] = [];
  for (const { format, epoch } of chosen) {
    const last = parts.at(-1);
    if (last?.format === format) last.to = epoch;
    else parts.push({ format, from: epoch, to: epoch });
  }
  if (parts.length < 2) return;
  const text = parts.map(({ format, from, to }) =>
    from === to ? `${format} at ${from}` : `${format} from ${from} to ${to}`,
  );
  const message = `the format of the checkpoints changes: ${listed(text)}`;
  warnings.push({ code: "SERIES_FORMATS", message });
}

/** Equal steps are no gap: checkpoints may be written every 500 steps. The most frequent distance is the usual one. */
export function warnAboutGaps(
  chosen: readonly Checkpoint[],
  unit: SeriesUnit,
  warnings: ModelWarning[],
): void {
  const distances = chosen.slice(1).map((one, i) => one.epoch - chosen[i]!.epoch);
  const counts = groupsOf(distances, String).sort((a, b) => b.length - a.length || a[0]! - b[0]!);
  const usual = counts[0]?.[0];
  const gaps = distances.flatMap((distance, i) =>
    distance <= usual! ? [] : [`${chosen[i]!.epoch} to ${chosen[i + 1]!.epoch}`],
  );
  if (gaps.length === 0) {
    if (counts.length < 2) return;
    const message = `${unit}s are not evenly spaced: most are ${usual} apart, some closer`;
    warnings.push({ code: "SERIES_GAPS", message });
    return;
  }
  const message = `${unit}s are not evenly spaced: nothing lies between ${listed(gaps)}`;
  warnings.push({ code: "SERIES_GAPS", message });
}

function groupsOf<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}
