import type { CommandContext } from "@stricli/core";
import type { Readable } from "node:stream";
import { FormatError } from "../src/index.ts";

/** What a command may touch of the process: tests hand in their own. */
export interface CliContext extends CommandContext {
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly stdin: Readable;
  /** True when stderr is a terminal, so that progress may redraw its line. */
  readonly interactive: boolean;
}

/** Text from standard input stops here: a matrix by hand is small. */
const stdinLimit = 256 * 2 ** 20;

/**
 * All of standard input as JSON.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_LIMIT`.
 */
export async function readStdinJson(context: CliContext): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let byteLength = 0;
  for await (const chunk of context.stdin as AsyncIterable<Uint8Array>) {
    context.signal.throwIfAborted();
    byteLength += chunk.byteLength;
    if (byteLength > stdinLimit) {
      throw new FormatError("FORMAT_LIMIT", `standard input is larger than ${stdinLimit} bytes`, {
        path: ["stdin"],
        hint: "Put large weights into a model file (safetensors, npz) instead.",
      });
    }
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new FormatError("FORMAT_MALFORMED", `standard input is not JSON: ${String(cause)}`, {
      path: ["stdin"],
      cause,
      hint: 'Expected {"blocks":[{"from":"a","to":"b","weights":[[1,2],[3,4]]}]}.',
    });
  }
}

/** One JSON document on stdout, newline at its end. */
export function writeJson(context: CliContext, document: Readonly<Record<string, unknown>>): void {
  context.process.stdout.write(`${JSON.stringify(document)}\n`);
}

/** A line for the person at the terminal. */
export function say(context: CliContext, line: string): void {
  context.process.stderr.write(`${line}\n`);
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
