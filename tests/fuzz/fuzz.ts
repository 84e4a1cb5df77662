/**
 * `npm run fuzz -- [--seed N] [--count N] [--format id] [--only index] [--save folder]`: damages small files of every format and
 * checks that each ends in a model or a typed error, in under 2 s and 512 MB. Exits 1 on any finding, with the line that
 * reproduces it.
 */
import { fork, type ChildProcess } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { mutantOf } from "./examine.ts";
import { fuzzSeeds } from "./seeds.ts";
import type { Report, Work } from "./worker.ts";

const maxMs = 2000;
const maxMegabytes = 512;
/** A mutant that has not ended by then never will. */
const hangMs = 10_000;

interface Tally {
  readonly outcomes: Map<string, number>;
  findings: number;
  slowestMs: number;
  peakMegabytes: number;
}

const { values: options } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "1000" },
    format: { type: "string" },
    only: { type: "string" },
    save: { type: "string" },
  },
});
const seed = wholeNumber("seed", options.seed);
const count = wholeNumber("count", options.count);
const only = options.only === undefined ? null : wholeNumber("only", options.only);
const seeds = await fuzzSeeds();
const formats = options.format === undefined ? Object.keys(seeds) : [options.format];
let findings = 0;
for (const format of formats) {
  if (!(format in seeds)) fail(`no format ${format}; there are ${Object.keys(seeds).join(", ")}`);
  if (only !== null && options.save !== undefined) await save(format, only, options.save);
  const [from, to] = only === null ? [0, count] : [only, only + 1];
  const start = performance.now();
  const tally = await fuzzFormat({ format, seed, from, to });
  findings += tally.findings;
  console.log(tallyText(format, to - from, (performance.now() - start) / 1000, tally));
}
console.log(`${findings} findings`);
process.exitCode = findings > 0 ? 1 : 0;

/** Runs the mutants in processes of their own; one that dies or hangs is replaced, its mutant a finding. */
async function fuzzFormat({ from, to, ...work }: Work): Promise<Tally> {
  const tally: Tally = { outcomes: new Map(), findings: 0, slowestMs: 0, peakMegabytes: 0 };
  for (let next = from; next < to;) next = await runWorker({ ...work, from: next, to }, tally);
  return tally;
}

/** Resolves to the number of the mutant to go on with. */
function runWorker(work: Work, tally: Tally): Promise<number> {
  const { format, from, to } = work;
  const worker = startWorker();
  let next = from;
  let running: number | null = null;
  let isRetired = false;
  let alarm: NodeJS.Timeout | undefined;
  const finding = (index: number, what: string): void => {
    tally.findings++;
    const again = `npm run fuzz -- --seed ${seed} --format ${format} --only ${index}`;
    console.log(`FINDING ${format} ${index}: ${what}\n  again: ${again}`);
  };
  worker.on("message", (report: Report) => {
    clearTimeout(alarm);
    if (report.kind === "started") {
      running = report.index;
      alarm = setTimeout(() => worker.kill("SIGKILL"), hangMs);
      return;
    }
    running = null;
    next = report.index + 1;
    const { index, outcome, fault, ms, peakMegabytes, seedName } = report;
    tally.outcomes.set(outcome ?? "finding", (tally.outcomes.get(outcome ?? "finding") ?? 0) + 1);
    tally.slowestMs = Math.max(tally.slowestMs, ms);
    tally.peakMegabytes = Math.max(tally.peakMegabytes, peakMegabytes);
    if (fault !== null) finding(index, `(${seedName}) ${fault}`);
    if (ms > maxMs) finding(index, `(${seedName}) took ${Math.round(ms)} ms`);
    if (peakMegabytes > maxMegabytes && !isRetired) {
      finding(index, `(${seedName}) held ${Math.round(peakMegabytes)} MB`);
      // The peak stays with the process, so that every later mutant would be blamed.
      isRetired = true;
      worker.kill("SIGKILL");
    }
    if (next % 500 === 0) console.error(`${format} ${next} of ${to}`);
  });
  worker.send(work);
  return new Promise((resolve) => {
    worker.on("exit", (code, signal) => {
      clearTimeout(alarm);
      if (running !== null && !isRetired) {
        finding(running, `the process ended with ${signal ?? code}`);
        next = running + 1;
      } else if (next === from && !isRetired) fail(`the worker ended with ${signal ?? code}`);
      resolve(next);
    });
  });
}

function startWorker(): ChildProcess {
  const path = fileURLToPath(new URL("./worker.ts", import.meta.url));
  const limits = [`--max-old-space-size=${maxMegabytes}`, "--unhandled-rejections=strict"];
  return fork(path, { execArgv: ["--import", "tsx", ...limits] });
}

function tallyText(format: string, total: number, seconds: number, tally: Tally): string {
  const { outcomes, findings, slowestMs, peakMegabytes } = tally;
  const codes = [...outcomes].sort(([, a], [, b]) => b - a).map(([code, n]) => `${code} ${n}`);
  return (
    `${format}: ${total} mutants in ${seconds.toFixed(1)} s, ${findings} findings, ` +
    `slowest ${Math.round(slowestMs)} ms, peak ${Math.round(peakMegabytes)} MB; ${codes.join(", ")}`
  );
}

/** Writes the files of one mutant, to be looked at with other tools. */
async function save(format: string, index: number, folder: string): Promise<void> {
  const { files } = await mutantOf(seeds[format] ?? [], { format, seed, index });
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
}

function wholeNumber(name: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  return fail(`--${name} takes a whole number, not ${text}`);
}

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}
