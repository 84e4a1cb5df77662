import { FormatError } from "../errors.ts";

export interface StrictJsonOptions {
  /** Leads error messages to the place in the file. */
  readonly path: readonly (string | number)[];
  /** An object that says the same key twice is refused instead of keeping the last. @defaultValue false */
  readonly uniqueKeys?: boolean;
}

/**
 * UTF-8 JSON to a value, with every failure a `FormatError`. Keys such as `__proto__` become plain own properties, as
 * `JSON.parse` has it; read them with `Object.entries` or `Object.hasOwn`.
 * Cost: one pass, two with `uniqueKeys`.
 * @throws {FormatError} `FORMAT_MALFORMED`
 */
export function parseStrictJson(bytes: Uint8Array, options: StrictJsonOptions): unknown {
  const { path, uniqueKeys = false } = options;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError("FORMAT_MALFORMED", "the JSON text is not UTF-8", { path, cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError("FORMAT_MALFORMED", `not JSON: ${(cause as Error).message}`, {
      path,
      cause,
    });
  }
  if (uniqueKeys) checkUniqueKeys(text, path);
  return value;
}

/** True for a JSON object: neither null nor an array. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `text` is valid JSON, so strings and brackets are all there is to tell apart. */
function checkUniqueKeys(text: string, path: readonly (string | number)[]): void {
  const open: (Set<string> | null)[] = [];
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;
  for (const [found, colon] of text.matchAll(token)) {
    if (found === "{") open.push(new Set());
    else if (found === "[") open.push(null);
    else if (found === "}" || found === "]") open.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(found.slice(0, -colon.length)) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) {
        throw new FormatError("FORMAT_MALFORMED", "the same name stands twice in one object", {
          path: [...path, key],
        });
      }
      keys?.add(key);
    }
  }
}
