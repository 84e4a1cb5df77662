import { Readable } from "node:stream";
import { runCommandLine } from "../../cli/application.ts";

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `weightgraph …` in this process, with `stdin` as its standard input. */
export async function weightgraph(
  argv: readonly string[],
  options: { readonly stdin?: string; readonly signal?: AbortSignal } = {},
): Promise<CommandResult> {
  const written = { stdout: "", stderr: "" };
  const stream = (name: "stdout" | "stderr"): { write(text: string): void } => ({
    write(text) {
      written[name] += text;
    },
  });
  const code = await runCommandLine(argv, {
    stdout: stream("stdout"),
    stderr: stream("stderr"),
    env: { NO_COLOR: "1" },
    signal: options.signal ?? new AbortController().signal,
    stdin: Readable.from([Buffer.from(options.stdin ?? "")]),
    interactive: false,
  });
  return { code, ...written };
}

/** The JSON document that a command printed; the test fails with stderr when it is none. */
export async function weightgraphJson(
  argv: readonly string[],
  options: { readonly stdin?: string } = {},
): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await weightgraph([...argv, "--json"], options);
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
  return JSON.parse(stdout) as Record<string, unknown>;
}
