import type { CommandContext } from "@stricli/core";
import type { Readable } from "node:stream";
import { fileSource, FormatError, type ModelWarning, type ReadLimits } from "../src/node.ts";
import { checkInput } from "./input.ts";
import { printable } from "./render.ts";

/** What a command may touch of the process: tests hand in their own. */
export interface CliContext extends CommandContext {
  /** Aborted by Ctrl-C, and when the run's time is up. */
  readonly signal: AbortSignal;
  /** For everything that reads a file; the signal is in it. */
  readonly limits: ReadLimits;
  readonly stdin: Readable;
  /** True when stderr is a terminal, so that progress may redraw its line. */
  readonly interactive: boolean;
}

/** JSON input stops here: a matrix by hand is small. */
const textLimit = 256 * 2 ** 20;

/**
 * A JSON document from `path`, or from standard input for `-`.
 * @throws {UsageError} `FILE_NOT_FOUND`; {FormatError} `FORMAT_MALFORMED`, `FORMAT_LIMIT`.
 */
export async function readJson(context: CliContext, path: string): Promise<unknown> {
  if (path === "-") return parseJson(await readStdin(context), "stdin");
  await checkInput(path);
  const source = await fileSource(path, context.limits);
  if (source.byteLength > textLimit) throw tooLarge(path);
  return parseJson(await source.slice(0, source.byteLength), path);
}

async function readStdin(context: CliContext): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let byteLength = 0;
  for await (const chunk of context.stdin as AsyncIterable<Uint8Array>) {
    context.signal.throwIfAborted();
    byteLength += chunk.byteLength;
    if (byteLength > textLimit) throw tooLarge("stdin");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseJson(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch (cause) {
    throw new FormatError("FORMAT_MALFORMED", `not JSON: ${String(cause)}`, {
      path: [name],
      cause,
      hint: 'Expected {"blocks":[{"from":"a","to":"b","weights":[[1,2],[3,4]]}]}.',
    });
  }
}

function tooLarge(name: string): FormatError {
  return new FormatError("FORMAT_LIMIT", `more than ${textLimit} bytes of JSON`, {
    path: [name],
    hint: "Put large weights into a model file (safetensors) instead.",
  });
}

/** One JSON document on stdout, newline at its end. */
export function writeJson(context: CliContext, document: Readonly<Record<string, unknown>>): void {
  context.process.stdout.write(`${JSON.stringify(document)}\n`);
}

/** A line for the person at the terminal. */
export function say(context: CliContext, line: string): void {
  context.process.stderr.write(`${line}\n`);
}

export function sayWarnings(context: CliContext, warnings: readonly ModelWarning[]): void {
  for (const { code, message } of warnings) say(context, `warning ${code} ${printable(message)}`);
}

/** Progress on stderr: one redrawn line on a terminal, nothing that a log would choke on elsewhere. */
export function progressLine(
  context: CliContext,
  label: string,
): { update(text: string): void; done(): void } {
  let last = 0;
  let shown = false;
  return {
    update(text) {
      const now = Date.now();
      if (!context.interactive || now - last < 80) return;
      last = now;
      shown = true;
      context.process.stderr.write(`\r\u001b[2K${label} ${text}`);
    },
    done() {
      if (shown) context.process.stderr.write("\r\u001b[2K");
    },
  };
}
