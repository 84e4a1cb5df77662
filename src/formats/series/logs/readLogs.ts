/** The logs in a folder of checkpoints, each by what its content is. */
import type { ByteSource } from "../../../bytes/source.ts";
import { FormatError } from "../../../errors.ts";
import type { ModelWarning } from "../../../model/model.ts";
import { dateOf, isFileError, type SeriesFile } from "../seriesFile.ts";
import { parseEventLog } from "./eventLog.ts";
import { parseJsonLog } from "./jsonLog.ts";
import { eventPrefixes } from "./logFiles.ts";
import { isEventFileName, promisesMetrics } from "./logNames.ts";
import type { LogRecord, ParsedLog } from "./logRecord.ts";
import { parseTableLog } from "./tableLog.ts";
import { parseTextLog } from "./textLog.ts";

export interface FoundLog {
  readonly name: string;
  readonly records: readonly LogRecord[];
}

const maxTextLength = 32 * 2 ** 20;
const maxEventsLength = 512 * 2 ** 20;
/** Of all logs together. */
const maxTotalLength = 1024 * 2 ** 20;

/** Reads logs one after another; what is unreadable, guessed or without metrics is told. */
export async function readLogs(
  files: readonly SeriesFile[],
  { warnings, signal }: { warnings: ModelWarning[]; signal: AbortSignal | undefined },
): Promise<FoundLog[]> {
  const logs: FoundLog[] = [];
  const prefixes = eventPrefixes(files.map(({ name }) => name));
  let budget = maxTotalLength;
  for (const file of files) {
    signal?.throwIfAborted();
    try {
      const source = await file.open();
      budget -= source.byteLength;
      const parsed = await parseLog(source, file.name, budget);
      for (const note of parsed?.notes ?? []) {
        warnings.push({ code: "SERIES_LOG_PARTIAL", message: `${file.name}: ${note}` });
      }
      if (parsed !== null && parsed.records.length > 0) {
        const records = datedByName(parsed.records, file.name);
        logs.push({ name: file.name, records: prefixed(records, prefixes.get(file.name) ?? "") });
      } else if (parsed === null && promisesMetrics(file.name) && source.byteLength > 0) {
        const message = `${file.name}: no table, JSON or lines that give each epoch once`;
        warnings.push({ code: "SERIES_LOG_UNREADABLE", message });
      }
    } catch (error) {
      if (!isFileError(error)) throw error;
      const message = `${file.name}: ${error.message}`;
      warnings.push({ code: "SERIES_LOG_UNREADABLE", message });
    }
  }
  return logs;
}

function prefixed(records: readonly LogRecord[], prefix: string): readonly LogRecord[] {
  if (prefix === "") return records;
  return records.map(({ metrics, ...place }) => ({
    ...place,
    metrics: new Map([...metrics].map(([name, value]) => [prefix + name, value])),
  }));
}

async function parseLog(
  source: ByteSource,
  name: string,
  budget: number,
): Promise<ParsedLog | null> {
  const isEvents = isEventFileName(name);
  const limit = isEvents ? maxEventsLength : maxTextLength;
  if (source.byteLength > limit || budget < 0) {
    throw new FormatError("FORMAT_LIMIT", `${source.byteLength} bytes of log are not read`, {
      path: [name],
    });
  }
  if (isEvents) return parseEventLog(source);
  const text = await textOf(source, name);
  const first = text.trimStart()[0];
  if (first === "{" || first === "[") return parseJsonLog(text, name);
  if (/\.(?:json|jsonl|ndjson)$/i.test(name)) {
    throw new FormatError("FORMAT_MALFORMED", "neither JSON nor JSON lines", { path: [name] });
  }
  const table = parseTableLog(text);
  if (table !== null) return table;
  const records = parseTextLog(text);
  return records && { records, notes: [] };
}

async function textOf(source: ByteSource, name: string): Promise<string> {
  const bytes = await source.slice(0, source.byteLength);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError("FORMAT_MALFORMED", "the text is not UTF-8", { path: [name], cause });
  }
}

/** Metrics without a moment of their own, in a file or folder that has one: `checkpoint-500/eval_results.json`. */
function datedByName(records: readonly LogRecord[], name: string): readonly LogRecord[] {
  const isUndated = records.every(({ epoch, step }) => epoch === null && step === null);
  const date = isUndated ? dateOf(name) : null;
  if (date === null) return records.filter(({ epoch, step }) => epoch !== null || step !== null);
  const place =
    date.unit === "step"
      ? { epoch: null, step: date.epoch }
      : { epoch: date.epoch, step: date.step };
  return records.map((record) => ({ ...record, ...place }));
}
