import { FormatError } from "../../errors.ts";
import { isJsonObject, parseStrictJson } from "../strictJson.ts";

/** Names under which runs keep what they measured, the most telling first. */
export const logNames: readonly string[] = [
  "log.json",
  "log.jsonl",
  "metrics.json",
  "metrics.jsonl",
  "history.json",
  "run.json",
  "manifest.json",
];

/** What was measured, by epoch. */
export type MetricsLog = ReadonlyMap<number, Readonly<Record<string, number>>>;

/**
 * Reads a list of records, each with an `epoch` (or `step`) and numbers: a JSON array, the first such array in a JSON object
 * (`{"lr": 0.1, "log": [...]}`), or one record a line. Records of one epoch are joined; what is not a finite number is left out.
 * An object without such records gives an empty log.
 * @throws {FormatError} `FORMAT_MALFORMED`
 */
export function parseMetricsLog(bytes: Uint8Array, name: string): MetricsLog {
  const byEpoch = new Map<number, Record<string, number>>();
  for (const record of recordsOf(bytes, name)) {
    const epoch = record["epoch"] ?? record["step"];
    if (typeof epoch !== "number" || !Number.isSafeInteger(epoch)) continue;
    const metrics = byEpoch.get(epoch) ?? {};
    for (const [key, value] of Object.entries(record)) {
      const isMetric = key !== "epoch" && typeof value === "number" && Number.isFinite(value);
      if (isMetric && key !== "__proto__") metrics[key] = value;
    }
    byEpoch.set(epoch, metrics);
  }
  return byEpoch;
}

type LogRecord = Readonly<Record<string, unknown>>;

function recordsOf(bytes: Uint8Array, name: string): readonly LogRecord[] {
  const whole = tryParse(bytes, name);
  if (whole !== undefined) {
    const lists = isJsonObject(whole) ? [[whole], ...Object.values(whole)] : [whole];
    return lists.map(asRecords).find((records) => records.length > 0) ?? [];
  }
  const lines = splitLines(bytes);
  if (lines.length < 2) {
    throw new FormatError("FORMAT_MALFORMED", "neither JSON nor JSON lines", { path: [name] });
  }
  return asRecords(lines.map((line, i) => parseStrictJson(line, { path: [name, i + 1] })));
}

function asRecords(list: unknown): readonly LogRecord[] {
  if (!Array.isArray(list)) return [];
  return list.filter(
    (entry): entry is LogRecord => isJsonObject(entry) && ("epoch" in entry || "step" in entry),
  );
}

function tryParse(bytes: Uint8Array, name: string): unknown {
  try {
    return parseStrictJson(bytes, { path: [name] });
  } catch {
    return undefined;
  }
}

function splitLines(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  while (start < bytes.byteLength) {
    const found = bytes.indexOf(10, start);
    const end = found === -1 ? bytes.byteLength : found;
    const line = bytes.subarray(start, end);
    if (line.some((byte) => byte > 32)) lines.push(line);
    start = end + 1;
  }
  return lines;
}
