import { isJsonObject } from "../../strictJson.ts";

/** One line of a log, whatever file it stood in. */
export interface LogRecord {
  /** HuggingFace's trainers count parts of an epoch: 0.32. */
  readonly epoch: number | null;
  readonly step: number | null;
  readonly metrics: ReadonlyMap<string, number>;
}

export interface ParsedLog {
  readonly records: readonly LogRecord[];
  /** What was guessed or left out, in words. */
  readonly notes: readonly string[];
}

const epochKeys = new Set(["epoch", "epochs", "epoch_num", "current_epoch", "trainer/epoch"]);
/** Counted over the whole run. */
const stepKeys = new Set([
  "step",
  "steps",
  "global_step",
  "_step",
  "trainer/global_step",
  "num_updates",
]);
/** Counted over the whole run where no epoch stands beside, else often within it. */
const innerStepKeys = new Set(["iter", "iters", "iteration", "itr", "batch"]);
/** Counters and clocks, which measure nothing of the network. */
const clockKeys = new Set(["wall time", "wall_time", "_timestamp", "timestamp", "_runtime"]);
const modeKeys = new Set(["mode", "split", "phase", "subset"]);

/**
 * A record of named values: what stands under `epoch` and `step` places it, other numbers are metrics, objects one level down
 * too (`{"epoch": 1, "val": {"loss": 2}}` has `val/loss`, under `metrics` plain `loss`). Where a word under `mode` or `split` says of
 * which part of the data a record is, `modes` tells whether to put it in front.
 */
export function recordOf(entries: Iterable<readonly [string, unknown]>, modes = false): LogRecord {
  const counts = { epoch: null as number | null, step: null as number | null };
  let innerStep: number | null = null;
  let mode = "";
  const metrics = new Map<string, number>();
  for (const [name, value] of entries) {
    const key = name.trim();
    const plain = key.toLowerCase();
    if (epochKeys.has(plain)) counts.epoch ??= countOf(value);
    else if (stepKeys.has(plain)) counts.step ??= countOf(value);
    else if (innerStepKeys.has(plain)) innerStep ??= countOf(value);
    else if (modes && modeKeys.has(plain) && typeof value === "string") mode = `${value}/`;
    else if (isJsonObject(value)) {
      const front = plain === "metrics" ? "" : `${key}/`;
      for (const [inner, own] of Object.entries(value)) addMetric(metrics, front + inner, own);
    } else if (!clockKeys.has(plain)) addMetric(metrics, key, value);
  }
  const { epoch, step } = counts;
  return {
    epoch,
    step: step ?? (epoch === null ? innerStep : null),
    metrics:
      mode === "" ? metrics : new Map([...metrics].map(([name, value]) => [mode + name, value])),
  };
}

/** True for records that say which part of the data they are of, and say different ones. */
export function haveModes(records: Iterable<Readonly<Record<string, unknown>>>): boolean {
  const found = new Set<unknown>();
  for (const record of records) {
    for (const [key, value] of Object.entries(record)) {
      if (modeKeys.has(key.toLowerCase()) && typeof value === "string") found.add(value);
    }
    if (found.size > 1) return true;
  }
  return false;
}

/** True for a column or key that places a record in training. */
export function isCount(name: string): boolean {
  const plain = name.trim().toLowerCase();
  return epochKeys.has(plain) || stepKeys.has(plain) || innerStepKeys.has(plain);
}

/** A number in a text; also the words for what JSON and decimals cannot say. Null for other texts. */
export function numberOfText(text: string): number | null {
  const word = /^([-+])?(nan|inf|infinity)$/i.exec(text);
  if (word !== null) {
    return word[2]!.toLowerCase() === "nan" ? NaN : word[1] === "-" ? -Infinity : Infinity;
  }
  return /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?$/i.test(text) ? Number(text) : null;
}

function countOf(value: unknown): number | null {
  const number = typeof value === "string" ? numberOfText(value.trim()) : value;
  return typeof number === "number" && number >= 0 && Number.isFinite(number) ? number : null;
}

/** Of texts only NaN and infinities count: `"seed": "7"` is no metric. */
function addMetric(metrics: Map<string, number>, name: string, value: unknown): void {
  const number = typeof value === "string" ? numberOfText(value.trim()) : value;
  if (typeof number !== "number" || name === "") return;
  if (typeof value === "string" && Number.isFinite(number)) return;
  metrics.set(name, number);
}
