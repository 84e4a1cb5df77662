/** The commands and how their failures end; `main.ts` gives it a process, tests give it their own. */
import {
  buildApplication,
  buildRouteMap,
  run,
  text_en,
  type Application,
  type StricliProcess,
} from "@stricli/core";
import { createRequire } from "node:module";
import { analyzeCommand } from "./commands/analyze.ts";
import { convertCommand } from "./commands/convert.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { epochsCommand } from "./commands/epochs.ts";
import { exportCommand } from "./commands/export.ts";
import { layersCommand } from "./commands/layers.ts";
import { metricsCommand } from "./commands/metrics.ts";
import { patchCommand } from "./commands/patch.ts";
import { predictCommand } from "./commands/predict.ts";
import { reinitCommand } from "./commands/reinit.ts";
import { reportCommand } from "./commands/report.ts";
import { rewireCommand } from "./commands/rewire.ts";
import { trainCommand } from "./commands/train.ts";
import { viewCommand } from "./commands/view.ts";
import type { CliContext } from "./context.ts";
import { exitCodeOf, exitCodes, failureText } from "./failure.ts";
import { limitedSignal, takeLimits, type CommandLine, type Limits } from "./limits.ts";

export interface Host extends Omit<CliContext, "process" | "limits"> {
  readonly stdout: StricliProcess["stdout"];
  readonly stderr: StricliProcess["stderr"];
  readonly env: NodeJS.ProcessEnv;
  /** Told the limits of the run before it starts. */
  readonly onLimits?: (limits: Limits) => void;
}

/** Runs one command line and returns its exit code; never throws for what a user can do wrong. */
export async function runCommandLine(argv: readonly string[], host: Host): Promise<number> {
  const { stdout, stderr, env, signal, stdin, interactive } = host;
  const process: StricliProcess = { stdout, stderr, env, exitCode: null };
  let line: CommandLine;
  try {
    line = takeLimits(argv);
  } catch (error) {
    stderr.write(`${failureText(error, false)}\n`);
    return exitCodeOf(error);
  }
  const { debug, limits } = line;
  host.onLimits?.(limits);
  const limited = limitedSignal(signal, limits);
  await run(application(debug, Boolean(env["NO_COLOR"])), line.argv.map(shortened), {
    process,
    signal: limited,
    limits: { ...limits, signal: limited },
    stdin,
    interactive,
  });
  const code = Number(process.exitCode);
  // Negative codes are the parser's: -4 and -5 are a wrong flag or command, the rest our own faults.
  if (code < 0) return code <= -4 ? exitCodes.usage : exitCodes.failed;
  return code;
}

/** The parser knows one-letter names as `-l` only; users write the measures' parameters as `--l`. */
function shortened(argument: string): string {
  return argument.replace(/^--([a-z])(?==|$)/i, "-$1");
}

function application(debug: boolean, plain: boolean): Application<CliContext> {
  const { version } = createRequire(import.meta.url)("weightgraph/package.json") as {
    version: string;
  };
  const failure = (error: unknown): string => failureText(error, debug);
  return buildApplication<CliContext>(
    buildRouteMap({
      routes: {
        layers: layersCommand,
        analyze: analyzeCommand,
        doctor: doctorCommand,
        epochs: epochsCommand,
        patch: patchCommand,
        convert: convertCommand,
        rewire: rewireCommand,
        reinit: reinitCommand,
        train: trainCommand,
        predict: predictCommand,
        view: viewCommand,
        export: exportCommand,
        metrics: metricsCommand,
        report: reportCommand,
      },
      docs: {
        brief: "Neural-network weights as weighted multipartite graphs",
        fullDescription:
          "Neural-network weights as weighted multipartite graphs.\n\n" +
          "Every command also takes --max-memory SIZE, --max-file-size SIZE (512M, 2G), --timeout TIME (30, 500ms), past which it " +
          "ends with exit code 5, and --debug, which shows where a failure comes from.",
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
      documentation: { disableAnsiColor: plain },
      determineExitCode: exitCodeOf,
    },
  );
}
