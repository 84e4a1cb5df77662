/** Shell patterns on paths: `*` and `?` within a name, `**` over folders, `[a-c]`, `[!a]`, `{a,b}`; `\` makes the next one plain. */
import { UsageError } from "../errors.ts";

/** More alternatives than that are a mistake, or an attack. */
const maxAlternatives = 1024;

/** True where a path holds a sign that only a pattern has. */
export function isGlobPattern(path: string): boolean {
  return /[*?]|\[[^/\]]+\]|\{[^}]*,[^}]*\}/.test(path);
}

/** The folder of a pattern, up to its first part with a sign in it, and the rest: `runs/a/*.pt` is `runs/a` and `*.pt`. */
export function splitGlobPattern(pattern: string): { folder: string; rest: string } {
  const parts = pattern.split("/");
  // A brace may stand open over several parts: only what comes before it is plain.
  const found = parts.findIndex((part) => /[*?[\]{}]/.test(part));
  const cut = found === -1 ? parts.length - 1 : found;
  const folder = parts.slice(0, cut).join("/");
  return {
    folder: folder === "" && pattern.startsWith("/") ? "/" : folder || ".",
    rest: parts.slice(cut).join("/"),
  };
}

/**
 * A test for paths relative to the pattern's folder, `/` between their parts.
 * @throws {UsageError} `USAGE_INVALID_OPTION`
 */
export function globMatcher(pattern: string): (path: string) => boolean {
  const alternatives = expandBraces(pattern).map((one) => expressionOf(one, pattern));
  return (path) => alternatives.some((own) => own.test(`${path}/`));
}

function expressionOf(alternative: string, pattern: string): RegExp {
  try {
    return new RegExp(`^${alternative.split("/").map(partSource).join("")}$`, "u");
  } catch (cause) {
    throw new UsageError("USAGE_INVALID_OPTION", "a set of characters in the pattern is none", {
      path: [pattern],
      cause,
      hint: "Write sets like [0-9], from the lower to the higher character.",
    });
  }
}

/** The source of a regular expression for one part of a path and the `/` behind it. */
function partSource(part: string): string {
  if (part === "**") return "(?:[^/]+/)*";
  let source = "";
  for (let i = 0; i < part.length; i++) {
    const sign = part[i]!;
    const close = sign === "[" ? part.indexOf("]", i + 2) : -1;
    if (sign === "*") source += "[^/]*";
    else if (sign === "?") source += "[^/]";
    else if (close !== -1) {
      const inner = part.slice(i + 1, close).replace(/[\\\]^[]/g, "\\$&");
      source += /^(?:!|\\\^)/.test(inner)
        ? `[^/${inner.replace(/^(?:!|\\\^)/, "")}]`
        : `(?!/)[${inner}]`;
      i = close;
    } else {
      if (sign === "\\" && i + 1 < part.length) i++;
      source += part[i]!.replace(/[.*+?^${}()|[\]\\/]/, "\\$&");
    }
  }
  return `${source}/`;
}

function expandBraces(pattern: string): string[] {
  const done: string[] = [];
  const open = [pattern];
  while (open.length > 0) {
    if (open.length + done.length > maxAlternatives) {
      throw new UsageError("USAGE_INVALID_OPTION", "the pattern has too many alternatives", {
        path: [pattern],
        hint: "Name the folder instead.",
      });
    }
    const one = open.pop()!;
    const match = /\{([^{}]*,[^{}]*)\}/.exec(one);
    if (match === null) done.push(one);
    else {
      const [whole, inner = ""] = match;
      const [before, after] = [one.slice(0, match.index), one.slice(match.index + whole.length)];
      open.push(...inner.split(",").map((choice) => before + choice + after));
    }
  }
  return done;
}
