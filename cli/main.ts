#!/usr/bin/env node
/** `weightgraph`: data on stdout, talk on stderr, an exit code that scripts can rely on. */
import { runCommandLine } from "./application.ts";
import { exitCodes } from "./failure.ts";
import { startWatchdog } from "./watchdog.ts";

const interruption = new AbortController();
process.on("SIGINT", () => {
  if (interruption.signal.aborted) process.exit(exitCodes.interrupted);
  interruption.abort();
});
process.on("SIGTERM", () => interruption.abort());
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // The reader of our pipe has gone (`| head`): nothing is wrong, nothing is left to say.
  if (error.code === "EPIPE") process.exit(exitCodes.ok);
  throw error;
});

process.exitCode = await runCommandLine(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: interruption.signal,
  stdin: process.stdin,
  interactive: process.stderr.isTTY,
  onLimits: startWatchdog,
});
