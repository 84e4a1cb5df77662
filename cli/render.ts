/** Text for terminals. Every string that comes out of a file passes through `printable`. */

/** Control and direction-changing characters as visible escapes, so that no name in a file can drive a terminal. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

export type Cell = string | number | null | undefined;

/** Columns padded to their widest cell; numbers to the right. */
export function renderTable(
  headers: readonly string[],
  rows: readonly (readonly Cell[])[],
): string {
  const texts = rows.map((row) => row.map(cellText));
  const widths = headers.map((header, column) =>
    texts.reduce((width, row) => Math.max(width, row[column]!.length), header.length),
  );
  const right = headers.map((_, column) => rows.every((row) => typeof row[column] !== "string"));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (right[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join("  ")
      .trimEnd();
  return [line(headers), ...texts.map(line)].join("\n");
}

/** Five significant digits; whole numbers with thousands separators. */
export function numberText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return value.toLocaleString("en-US");
  const magnitude = Math.abs(value);
  return magnitude >= 1e6 || magnitude < 1e-4
    ? value.toExponential(3)
    : String(Number(value.toPrecision(5)));
}

export function percentText(share: number): string {
  return `${(100 * share).toFixed(share === 1 || share === 0 ? 0 : 2)} %`;
}

function cellText(cell: Cell): string {
  if (cell === null || cell === undefined) return "–";
  return typeof cell === "number" ? numberText(cell) : printable(cell);
}
