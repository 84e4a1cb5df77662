import { FormatError } from "../../../errors.ts";
import { isJsonObject, parseStrictJson } from "../../strictJson.ts";
import { haveModes, isCount, recordOf, type LogRecord, type ParsedLog } from "./logRecord.ts";

type Json = Readonly<Record<string, unknown>>;

/**
 * Metrics in JSON: a list of records; an object that holds one, at most one level down (`{"lr": 0.1, "log": [...]}`,
 * `trainer_state.json`); columns as Keras' History has them (`{"loss": [2, 1]}`, or by index as pandas writes `{"loss": {"0": 2}}`),
 * whose place is the epoch; one record; or one record a line. `NaN` and `Infinity`, which Python writes into JSON, are numbers.
 * JSON without any of these gives no records.
 * @throws {FormatError} `FORMAT_MALFORMED`
 */
export function parseJsonLog(text: string, name: string): ParsedLog {
  const whole = parseJsonValue(text);
  if (whole !== undefined) return ofValue(whole);
  const lines = text.split("\n").flatMap((line, i) => (line.trim() === "" ? [] : [{ line, i }]));
  if (lines.length < 2) {
    throw new FormatError("FORMAT_MALFORMED", "neither JSON nor JSON lines", { path: [name] });
  }
  const records: Json[] = [];
  const notes: string[] = [];
  for (const [at, { line, i }] of lines.entries()) {
    const value = parseJsonValue(line);
    if (isJsonObject(value)) records.push(value);
    else if (value === undefined && at === lines.length - 1 && records.length > 0) {
      notes.push(`line ${i + 1}, the last, is cut`);
    } else if (value === undefined) {
      // Throws what is wrong with it.
      parseStrictJson(new TextEncoder().encode(line), { path: [name, i + 1] });
    }
  }
  return { records: placed(records), notes };
}

function ofValue(value: unknown): ParsedLog {
  if (Array.isArray(value)) return ofList(value) ?? none;
  if (!isJsonObject(value)) return none;
  const inner = Object.values(value);
  for (const one of [value, ...inner]) {
    const found = Array.isArray(one) ? ofPlacedList(one) : null;
    if (found !== null) return found;
  }
  for (const one of [value, ...inner.filter(isJsonObject)]) {
    const columns = columnsOf(one);
    if (columns !== null) return columns;
  }
  const own = recordOf(Object.entries(value));
  return own.metrics.size > 0 ? { records: [own], notes: [] } : none;
}

const none: ParsedLog = { records: [], notes: [] };

/** Records with an epoch or a step among them. */
function ofPlacedList(list: readonly unknown[]): ParsedLog | null {
  const records = placed(list.filter(isJsonObject));
  return records.length > 0 ? { records, notes: [] } : null;
}

/** Records; where none says its epoch, their place does. */
function ofList(list: readonly unknown[]): ParsedLog | null {
  const found = ofPlacedList(list);
  if (found !== null) return found;
  const objects = list.filter(isJsonObject);
  const records = objects.map((one, i) => ({ ...recordOf(Object.entries(one)), epoch: i }));
  if (objects.length < list.length || records.every(({ metrics }) => metrics.size === 0))
    return null;
  return { records, notes: ["its records name no epoch, so they are counted from 0"] };
}

function placed(objects: readonly Json[]): LogRecord[] {
  const modes = haveModes(objects);
  return objects
    .map((one) => recordOf(Object.entries(one), modes))
    .filter(({ epoch, step }) => epoch !== null || step !== null);
}

/** Columns of numbers; a column called epoch or step places the rows, else their index is the epoch. */
function columnsOf(value: Json): ParsedLog | null {
  const columns = Object.entries(value).flatMap(([name, column]) => {
    const cells = cellsOf(column);
    return cells === null ? [] : [[name, cells] as const];
  });
  if (!columns.some(([name, cells]) => !isCount(name) && cells.size > 0)) return null;
  const rows = [...new Set(columns.flatMap(([, cells]) => [...cells.keys()]))].sort(
    (a, b) => a - b,
  );
  const isPlaced = columns.some(([name]) => isCount(name));
  const records = rows.map((row) => {
    const record = recordOf(
      columns.flatMap(([name, cells]) => (cells.has(row) ? [[name, cells.get(row)]] : [])),
    );
    return isPlaced ? record : { ...record, epoch: row };
  });
  return { records, notes: [] };
}

function cellsOf(column: unknown): Map<number, unknown> | null {
  const isCell = (cell: unknown): boolean =>
    cell === null || typeof cell === "number" || typeof cell === "string";
  if (Array.isArray(column)) {
    return column.length > 0 &&
      column.every(isCell) &&
      column.some((cell) => typeof cell === "number" || isNotFinite(cell))
      ? new Map(column.map((cell, row) => [row, cell]))
      : null;
  }
  if (!isJsonObject(column)) return null;
  const cells = Object.entries(column);
  const isIndexed =
    cells.length > 0 && cells.every(([key, cell]) => /^\d{1,9}$/.test(key) && isCell(cell));
  return isIndexed ? new Map(cells.map(([key, cell]) => [Number(key), cell])) : null;
}

function isNotFinite(cell: unknown): boolean {
  return typeof cell === "string" && /^[-+]?(?:nan|inf|infinity)$/i.test(cell);
}

/** JSON, with Python's `NaN` and `Infinity` as texts; undefined for what is none. */
export function parseJsonValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Perhaps only for Python's words.
  }
  if (!/\b(?:NaN|Infinity)\b/.test(text)) return undefined;
  const quoted = text.replace(/"(?:[^"\\]|\\.)*"|-?Infinity\b|\bNaN\b/g, (found) =>
    found.startsWith('"') ? found : `"${found}"`,
  );
  try {
    return JSON.parse(quoted);
  } catch {
    return undefined;
  }
}
