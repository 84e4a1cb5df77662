/**
 * Ends a process that keeps a limit from being seen: a thread of its own watches time and memory, since a computation that never
 * yields hears no signal. What it ends leaves with the exit code of a limit, and its unfinished files are removed.
 */
import { Worker } from "node:worker_threads";
import { exitCodes } from "./failure.ts";
import type { Limits } from "./limits.ts";

/** How long a run may take to end in order once its time is up. */
const graceMs = 500;

/** Does nothing where no limit of time or memory is set. */
export function startWatchdog({ maxMemory, timeoutMs }: Limits): void {
  if (maxMemory === undefined && timeoutMs === undefined) return;
  const workerData = {
    maxMemory: maxMemory ?? Infinity,
    lateMs: timeoutMs === undefined ? Infinity : timeoutMs + graceMs,
    exitCode: exitCodes.limit,
  };
  new Worker(watch, { eval: true, workerData }).unref();
}

/**
 * The thread's program. It stops the main thread as a debugger would, at its next step, and has it exit; where even that does not
 * come through within a second, the process is killed.
 */
const watch = `
const { workerData } = require("node:worker_threads");
const { Session } = require("node:inspector");
const { writeSync } = require("node:fs");
const { maxMemory, lateMs, exitCode } = workerData;
const start = performance.now();
const timer = setInterval(() => {
  const held = process.memoryUsage.rss();
  const late = performance.now() - start > lateMs;
  if (held <= maxMemory && !late) return;
  clearInterval(timer);
  writeSync(2, late
    ? "error LIMIT_TIME the run did not end in its time\\nhint: Raise --timeout.\\n"
    : "error FORMAT_LIMIT the run holds " + held + " bytes\\nhint: Raise --max-memory.\\n");
  const session = new Session();
  session.connectToMainThread();
  session.on("Debugger.paused", ({ params }) => session.post("Debugger.evaluateOnCallFrame", {
    callFrameId: params.callFrames[0].callFrameId,
    expression: "process.exit(" + exitCode + ")",
  }));
  session.post("Debugger.enable");
  session.post("Debugger.pause");
  session.post("Runtime.evaluate", { expression: "setTimeout(() => {}, 0)" });
  setTimeout(() => process.kill(process.pid, "SIGKILL"), 1000);
}, 20);
`;
