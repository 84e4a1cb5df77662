/** How a failure ends the process: one line with code and place, a hint, an exit code. */
import { isWeightGraphError, UsageError, type ErrorCode } from "../src/index.ts";
import { printable } from "./render.ts";

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  nothing: 3,
  refused: 4,
  limit: 5,
  interrupted: 130,
} as const;

const nothingToAnalyse: readonly ErrorCode[] = [
  "FORMAT_NO_WEIGHTS",
  "GRAPH_NO_EDGES",
  "SERIES_EMPTY",
  "PREDICT_TOO_FEW",
];
const limits: readonly ErrorCode[] = ["FORMAT_LIMIT", "GRAPH_TOO_LARGE", "LIMIT_TIME"];

export function exitCodeOf(error: unknown): number {
  if (isAbort(error)) return exitCodes.interrupted;
  if (!isWeightGraphError(error)) return exitCodes.failed;
  const { code } = error;
  if (error instanceof UsageError || code.startsWith("USAGE_") || code === "FILE_EXISTS") {
    return exitCodes.usage;
  }
  if (nothingToAnalyse.includes(code)) return exitCodes.nothing;
  if (limits.includes(code)) return exitCodes.limit;
  if (/^(ANALYSIS|ENGINE|PREDICT)_|^FILE_SUSPICIOUS$/.test(code)) return exitCodes.failed;
  return exitCodes.refused;
}

/** `error FORMAT_TRUNCATED net.onnx › graph › initializer[3]: …`, then the hint; the stack only with `--debug`. */
export function failureText(error: unknown, debug: boolean): string {
  if (isAbort(error)) return "interrupted";
  const stack = debug && error instanceof Error ? `\n${error.stack ?? ""}` : "";
  if (!isWeightGraphError(error)) {
    const message = error instanceof Error ? error.message : String(error);
    const advice = stack || "\nhint: run again with --debug and report what it prints.";
    return `error UNFORESEEN ${printable(message)}${advice}`;
  }
  const place = error.path.length === 0 ? "" : `${placeText(error.path)}: `;
  const hint = error.hint === undefined ? "" : `\nhint: ${printable(error.hint)}`;
  return `error ${error.code} ${place}${printable(error.message)}${hint}${stack}`;
}

function placeText(path: readonly (string | number)[]): string {
  return path
    .map((part, i) => (typeof part === "number" ? `[${part}]` : (i ? " › " : "") + printable(part)))
    .join("");
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
