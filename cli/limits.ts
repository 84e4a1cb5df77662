/** Switches that every command takes: what a run may use of the machine, and how much it says of a failure. */
import { UsageError, WeightGraphError } from "../src/index.ts";

export interface Limits {
  readonly maxFileSize?: number;
  readonly maxMemory?: number;
  readonly timeoutMs?: number;
}

export interface CommandLine {
  /** What is left for the command. */
  readonly argv: readonly string[];
  readonly debug: boolean;
  readonly limits: Limits;
}

/** Takes `--debug`, `--max-memory`, `--max-file-size` and `--timeout` out. @throws {UsageError} `USAGE_INVALID_OPTION` */
export function takeLimits(argv: readonly string[]): CommandLine {
  const rest: string[] = [];
  const limits: { -readonly [key in keyof Limits]: Limits[key] } = {};
  let debug = false;
  for (let i = 0; i < argv.length; i++) {
    const [flag, joined] = splitFlag(argv[i]!);
    if (flag === "--debug") debug = true;
    else if (flag === "--max-memory") limits.maxMemory = byteCount(flag, joined ?? argv[++i]);
    else if (flag === "--max-file-size") limits.maxFileSize = byteCount(flag, joined ?? argv[++i]);
    else if (flag === "--timeout") limits.timeoutMs = duration(joined ?? argv[++i]);
    else rest.push(argv[i]!);
  }
  return { argv: rest, debug, limits };
}

function splitFlag(argument: string): [string, string?] {
  const cut = argument.startsWith("--") ? argument.indexOf("=") : -1;
  return cut === -1 ? [argument] : [argument.slice(0, cut), argument.slice(cut + 1)];
}

const byteUnits: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** `512M`, `2GiB`, `1000`. */
function byteCount(flag: string, text = ""): number {
  const match = /^(\d+(?:\.\d+)?)([KMG]?)(?:i?B)?$/i.exec(text);
  const unit = byteUnits[match?.[2]!.toUpperCase() ?? ""];
  const count = match === null ? 0 : Math.floor(Number(match[1]) * unit!);
  if (count > 0 && Number.isSafeInteger(count)) return count;
  throw invalid(flag, text, "a number of bytes, as in 512M or 2G");
}

/** `30`, `1.5s`, `500ms`, `2m`; in milliseconds. */
function duration(text = ""): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)?$/i.exec(text);
  const unit = { ms: 1, s: 1000, m: 60_000 }[match?.[2]?.toLowerCase() ?? "s"]!;
  const ms = match === null ? 0 : Math.ceil(Number(match[1]) * unit);
  if (ms > 0 && ms < 2 ** 31) return ms;
  throw invalid("--timeout", text, "seconds, as in 30 or 500ms");
}

function invalid(flag: string, text: string, wanted: string): UsageError {
  return new UsageError("USAGE_INVALID_OPTION", `${JSON.stringify(text)} is not ${wanted}`, {
    path: [flag],
  });
}

/** `signal`, and besides it the end of the time that a run may take. */
export function limitedSignal(signal: AbortSignal, { timeoutMs }: Limits): AbortSignal {
  if (timeoutMs === undefined) return signal;
  const late = new AbortController();
  setTimeout(() => late.abort(timeIsUp(timeoutMs)), timeoutMs).unref();
  return AbortSignal.any([signal, late.signal]);
}

function timeIsUp(timeoutMs: number): WeightGraphError {
  return new WeightGraphError("LIMIT_TIME", `the run took more than ${timeoutMs / 1000} s`, {
    hint: "Raise --timeout.",
  });
}
