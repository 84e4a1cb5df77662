/** A list of checkpoints, with the moment of each and what was measured then. */
import { FormatError } from "../../errors.ts";
import { isJsonObject } from "../strictJson.ts";
import { parseTableRows } from "./logs/tableLog.ts";
import { parseJsonValue } from "./logs/jsonLog.ts";
import { recordOf } from "./logs/logRecord.ts";
import { dateOf, type CheckpointDate } from "./seriesFile.ts";

/** A checkpoint that a manifest names. */
export interface DatedEntry {
  /** Relative to the manifest's folder. */
  readonly name: string;
  /** As the manifest has it, else as the name has it. */
  readonly date: CheckpointDate | null;
}

const fileKeys = ["file", "path", "checkpoint", "filename", "file_name", "model", "weights"];
const maxEntries = 100_000;

/**
 * Reads a JSON list of `{"file": …, "epoch": …, …}` (`path`, `checkpoint` and `step` do as well), an object that holds one
 * (`run.json` has it under `snapshots`), an object of files by epoch (`{"0": "a.pt"}`), JSON lines, or a table with such columns.
 * Null for a text that is no list of checkpoints.
 * @throws {FormatError} `FORMAT_LIMIT`
 */
export function parseSeriesManifest(text: string, name: string): DatedEntry[] | null {
  const value = parseJsonValue(text);
  const rows = value === undefined ? linesOrTable(text) : [...listsIn(value)].find(isFileList);
  if (rows === undefined || !isFileList(rows)) return null;
  if (rows.length > maxEntries) {
    throw new FormatError("FORMAT_LIMIT", `more than ${maxEntries} checkpoints are listed`, {
      path: [name],
    });
  }
  return rows.map(entryOf);
}

type Row = Readonly<Record<string, unknown>>;

function linesOrTable(text: string): readonly Row[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (lines[0]?.trimStart().startsWith("{")) {
    return lines.map(parseJsonValue).filter(isJsonObject);
  }
  return parseTableRows(text) ?? [];
}

function* listsIn(value: unknown): Generator<readonly Row[], void, undefined> {
  if (Array.isArray(value)) yield value as Row[];
  if (!isJsonObject(value)) return;
  for (const inner of Object.values(value)) if (Array.isArray(inner)) yield inner as Row[];
  for (const one of [value, ...Object.values(value)]) {
    if (!isJsonObject(one)) continue;
    const entries = Object.entries(one);
    if (entries.length > 0 && entries.every(([key, file]) => /^\d+$/.test(key) && isFile(file))) {
      yield entries.map(([epoch, file]) => ({ epoch: Number(epoch), file }));
    }
  }
}

/** Every row names a file. */
function isFileList(rows: unknown): rows is readonly Row[] {
  if (!Array.isArray(rows) || rows.length === 0) return false;
  return rows.every((row) => isFile(row) || (isJsonObject(row) && fileOf(row) !== null));
}

function isFile(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "";
}

function fileOf(row: Row): string | null {
  for (const [key, value] of Object.entries(row)) {
    if (fileKeys.includes(key.trim().toLowerCase()) && isFile(value)) return value.trim();
  }
  // Less telling: only what looks like a file.
  const { name } = row;
  return isFile(name) && /\.[a-z][a-z\d]*$/i.test(name) ? name.trim() : null;
}

function entryOf(row: Row | string): DatedEntry {
  const name = (typeof row === "string" ? row : fileOf(row)!).replace(/^\.\//, "");
  const own = typeof row === "string" ? null : recordOf(Object.entries(row));
  const named = dateOf(name);
  const count = own?.epoch ?? own?.step ?? null;
  if (own === null || count === null) return { name, date: named };
  return {
    name,
    date: {
      epoch: count,
      unit: own.epoch === null ? "step" : "epoch",
      step: own.epoch === null ? null : own.step,
      metrics: { ...named?.metrics, ...Object.fromEntries(own.metrics) },
      stem: "",
      day: "",
      place: "",
      isNamed: true,
    },
  };
}
