import { isCount, numberOfText, recordOf, type ParsedLog } from "./logRecord.ts";

/**
 * Metrics in a table with a head: comma, semicolon or tab between cells, quotes, spaces around cells, empty cells (Lightning's
 * `metrics.csv`), decimal commas where semicolons separate. A column called epoch or step places the rows; where there is none,
 * a first column without a name, as pandas writes its index, is the epoch, and else the place of the row, which is told.
 * Null for a text that is no such table.
 */
export function parseTableLog(text: string): ParsedLog | null {
  const table = readTable(text);
  if (table === null) return null;
  const { names, rows } = table;
  const isPlaced = names.some(isCount);
  const isIndexed = !isPlaced && (names[0] === "" || names[0] === "Unnamed: 0");
  const notes = new Set<string>();
  const records = rows.flatMap((cells, row) => {
    const values = names.flatMap((name, i): [string, number][] => {
      const value = cellNumber(cells[i] ?? "", table.separator);
      return value === null || name === "" ? [] : [[name, value]];
    });
    const record = recordOf(values);
    if (isPlaced) return record.epoch === null && record.step === null ? [] : [record];
    if (!isIndexed) notes.add("no column is called epoch or step, so rows are counted from 0");
    return [{ ...record, epoch: isIndexed ? numberOfText(cells[0] ?? "") : row }];
  });
  return { records, notes: [...notes] };
}

/** The cells of each row by the names in the head, numbers where they are; null for a text that is no table. */
export function parseTableRows(text: string): Record<string, unknown>[] | null {
  const table = readTable(text);
  if (table === null) return null;
  return table.rows.map((cells) =>
    Object.fromEntries(
      table.names.flatMap((name, i) => {
        const cell = cells[i] ?? "";
        return name === "" ? [] : [[name, cellNumber(cell, table.separator) ?? cell] as const];
      }),
    ),
  );
}

interface Table {
  readonly names: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly separator: string;
}

function readTable(text: string): Table | null {
  const head = text.slice(0, Math.max(0, text.search(/\r?\n|$/)));
  const separator = ["\t", ";", ","].find((sign) => head.includes(sign));
  if (separator === undefined) return null;
  const [names = [], ...rows] = rowsOf(text, separator).map((cells) =>
    cells.map((cell) => cell.trim()),
  );
  if (names.length < 2 || names.slice(1).some((name) => numberOfText(name) !== null)) return null;
  return { names, separator, rows: rows.filter((cells) => cells.some((cell) => cell !== "")) };
}

function cellNumber(cell: string, separator: string): number | null {
  const isDecimalComma = separator !== "," && /^[-+]?\d+,\d+(?:e[-+]?\d+)?$/i.test(cell);
  return numberOfText(isDecimalComma ? cell.replace(",", ".") : cell);
}

/** Cells by row; quotes protect separators and line ends, a doubled quote is one. */
function rowsOf(text: string, separator: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  while (at < text.length) {
    let cell = "";
    if (text[at] === '"') {
      const end = closingQuote(text, at);
      cell = text.slice(at + 1, end).replaceAll('""', '"');
      at = end + 1;
    }
    let end = at;
    while (end < text.length && text[end] !== separator && text[end] !== "\n") end++;
    cell += text.slice(at, end);
    row.push(cell);
    if (end >= text.length || text[end] === "\n") {
      rows.push(row);
      row = [];
    } else if (end === text.length - 1) row.push("");
    at = end + 1;
  }
  if (row.length > 0) rows.push(row);
  return rows;
}

function closingQuote(text: string, open: number): number {
  let at = text.indexOf('"', open + 1);
  while (at !== -1 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  return at === -1 ? text.length : at;
}
