#!/usr/bin/env node
/** `weightgraph`: data on stdout, talk on stderr, an exit code that scripts can rely on. */
import { buildApplication, buildRouteMap, run, text_en, type StricliProcess } from "@stricli/core";
import { createRequire } from "node:module";
import { layersCommand } from "./commands/layers.ts";
import type { CliContext } from "./context.ts";
import { exitCodeOf, exitCodes, failureText } from "./failure.ts";

const { version } = createRequire(import.meta.url)("weightgraph/package.json") as {
  version: string;
};

const debug = process.argv.includes("--debug");
const failure = (error: unknown): string => failureText(error, debug);

const application = buildApplication<CliContext>(
  buildRouteMap({
    routes: {
      layers: layersCommand,
    },
    docs: {
      brief: "Neural-network weights as weighted multipartite graphs",
    },
  }),
  {
    name: "weightgraph",
    versionInfo: { currentVersion: version },
    scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: true },
    localization: {
      text: {
        ...text_en,
        exceptionWhileRunningCommand: failure,
        commandErrorResult: failure,
        exceptionWhileLoadingCommandFunction: failure,
      },
    },
    documentation: { disableAnsiColor: Boolean(process.env["NO_COLOR"]) },
    determineExitCode: exitCodeOf,
  },
);

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

const host: StricliProcess = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  exitCode: null,
};
const context: CliContext = {
  process: host,
  signal: interruption.signal,
  stdin: process.stdin,
  interactive: process.stderr.isTTY,
};
await run(
  application,
  process.argv.slice(2).filter((argument) => argument !== "--debug"),
  context,
);
const code = Number(host.exitCode);
// Negative codes are the parser's: -4 and -5 are a wrong flag or command, the rest our own faults.
process.exitCode = code >= 0 ? code : code <= -4 ? exitCodes.usage : exitCodes.failed;
