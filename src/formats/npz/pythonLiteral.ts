/** Text, numbers, truth values, `None`, and tuples, lists and dictionaries of them, as Python writes them. Nothing is evaluated. */
import { FormatError } from "../../errors.ts";

export type PythonLiteral =
  | string
  | number
  | boolean
  | null
  | readonly PythonLiteral[]
  | ReadonlyMap<PythonLiteral, PythonLiteral>;

const maxDepth = 32;
const closing: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };
const constants: ReadonlyMap<string, PythonLiteral> = new Map<string, PythonLiteral>([
  ["True", true],
  ["False", false],
  ["None", null],
]);
const tokens =
  /\s*(?:([([{}\])])|([,:])|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(-?\d+)L?|([A-Za-z]+))/sy;

interface Token {
  readonly kind: "bracket" | "mark" | "value";
  readonly value: PythonLiteral;
}

/**
 * Tuples and lists become arrays.
 * @throws {FormatError} `FORMAT_MALFORMED` for anything else, and below 32 brackets
 */
export function parsePythonLiteral(
  text: string,
  path: readonly (string | number)[],
): PythonLiteral {
  const all = tokensOf(text, path);
  const state = { at: 0 };
  const value = valueAt({ all, state, path }, 0);
  if (state.at < all.length) throw malformed(path);
  return value;
}

interface Reading {
  readonly all: readonly Token[];
  readonly state: { at: number };
  readonly path: readonly (string | number)[];
}

function tokensOf(text: string, path: readonly (string | number)[]): Token[] {
  const found: Token[] = [];
  const end = text.trimEnd().length;
  tokens.lastIndex = 0;
  while (tokens.lastIndex < end) {
    const match = tokens.exec(text);
    if (match === null) throw malformed(path);
    const [, bracket, mark, single, double, number, word] = match;
    if (bracket !== undefined) found.push({ kind: "bracket", value: bracket });
    else if (mark !== undefined) found.push({ kind: "mark", value: mark });
    else if (number !== undefined) found.push({ kind: "value", value: Number(number) });
    else if (word !== undefined) {
      const value = constants.get(word);
      if (value === undefined) throw malformed(path);
      found.push({ kind: "value", value });
    } else found.push({ kind: "value", value: unescaped((single ?? double)!) });
  }
  return found;
}

function valueAt(reading: Reading, depth: number): PythonLiteral {
  const { all, state, path } = reading;
  const token = all[state.at++];
  if (token === undefined || token.kind === "mark" || depth > maxDepth) throw malformed(path);
  if (token.kind === "value") return token.value;
  const end = closing[token.value as string];
  if (end === undefined) throw malformed(path);
  const isDictionary = end === "}";
  const items: [PythonLiteral, PythonLiteral][] = [];
  let hasComma = false;
  while (!isMark(all[state.at], end)) {
    if (items.length > 0 && !hasComma) throw malformed(path);
    const item = valueAt(reading, depth + 1);
    if (isDictionary && !isMark(all[state.at++], ":")) throw malformed(path);
    items.push([item, isDictionary ? valueAt(reading, depth + 1) : null]);
    hasComma = isMark(all[state.at], ",");
    if (hasComma) state.at++;
  }
  state.at++;
  if (isDictionary) return new Map(items);
  // Brackets around one value without a comma are that value.
  const isTuple = end === "]" || items.length !== 1 || hasComma;
  return isTuple ? items.map(([item]) => item) : items[0]![0];
}

function isMark(token: Token | undefined, mark: string): boolean {
  return token !== undefined && token.kind !== "value" && token.value === mark;
}

function unescaped(text: string): string {
  return text.replace(/\\(x[0-9a-f]{2}|u[0-9a-f]{4}|.)/gis, (_, code: string) =>
    code.length > 1 ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : code,
  );
}

function malformed(path: readonly (string | number)[]): FormatError {
  return new FormatError("FORMAT_MALFORMED", "the header is no plain Python dictionary", { path });
}
