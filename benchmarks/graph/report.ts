/** What was measured as tables, the issue's targets with what became of them, and a section of RESULTS.md. */
import { median, ratioOf, type Result } from "./race.ts";
import type { FileResult } from "./files.ts";

export interface Run {
  readonly commit: string;
  readonly machine: string;
  readonly node: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly results: readonly Result[];
  readonly files: readonly FileResult[];
}

interface Target {
  readonly what: string;
  readonly wanted: string;
  /** Null where the run has no figure for it. */
  readonly measured: string | null;
  readonly met: boolean | null;
}

/** Replaces the section under `title`, or adds it at the end; all others stay as they are. */
export function replaceSection(document: string, title: string, body: string): string {
  const section = `## ${title}\n\n${body.trim()}\n`;
  const start = `\n${document}`.indexOf(`\n## ${title}\n`);
  if (start === -1) return `${document.trimEnd()}\n\n${section}`;
  const after = document.indexOf("\n## ", start + 1);
  const rest = after === -1 ? "" : `\n${document.slice(after + 1)}`;
  return `${document.slice(0, start)}${section}${rest}`;
}

export function timeText(seconds: number): string {
  if (seconds >= 100) return `${seconds.toFixed(0)} s`;
  if (seconds >= 1) return `${Number(seconds.toPrecision(3))} s`;
  if (seconds >= 1e-3) return `${Number((seconds * 1e3).toPrecision(3))} ms`;
  return `${Number((seconds * 1e6).toPrecision(3))} µs`;
}

const number = (value: number): string =>
  value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));

/** A Markdown table; the columns after `left` are numbers. */
function table(head: readonly string[], rows: readonly (readonly string[])[], left = 1): string {
  const width = (column: number): number =>
    Math.max(3, ...[head, ...rows].map((row) => row[column]!.length));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i < left ? cell.padEnd(width(i)) : cell.padStart(width(i)))).join(" | ")} |`;
  const rule = head.map((_, i) =>
    i < left ? "-".repeat(width(i)) : `${"-".repeat(width(i) - 1)}:`,
  );
  return [line(head), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n");
}

type Wanted = Pick<Result, "network" | "weights" | "measure" | "tool">;

function find(results: readonly Result[], wanted: Wanted): Result | undefined {
  const keys = ["network", "weights", "measure", "tool"] as const;
  return results.find((own) => keys.every((key) => own[key] === wanted[key]));
}

export function targetsOf({ results, files }: Run): Target[] {
  const ratio = (
    network: string,
    weights: string,
    measure: string,
    tool: string,
  ): number | null => {
    const own = { network, weights, measure };
    return ratioOf(find(results, { ...own, tool: "weightgraph" }), find(results, { ...own, tool }));
  };
  const atLeast = (what: string, floor: number, value: number | null): Target => ({
    what,
    wanted: `>= ${floor}x`,
    measured: value === null ? null : `${number(value)}x`,
    met: value === null ? null : value >= floor,
  });
  const atMost = (what: string, wanted: string, value: number | null, limit: number): Target => ({
    what,
    wanted,
    measured: value === null ? null : number(value),
    met: value === null ? null : value <= limit,
  });
  const within = (network: string, measure: string, unit: string): number | null => {
    const own = { network, weights: "gaussian", tool: "weightgraph" };
    return ratioOf(find(results, { ...own, measure: unit }), find(results, { ...own, measure }));
  };
  const worst = results
    .filter(({ tool, measure }) => tool === "weightgraph" && measure === "eigenvector")
    .map(({ residual, failure }) => (failure === undefined ? (residual ?? NaN) : Infinity));
  const file = (what: string): FileResult | undefined =>
    files.find((own) => own.what === what && own.note === undefined);
  const stream = file("streaming strengths");
  const dd = file("dd");
  const analyze = file("analyze");
  const speed = stream && dd ? dd.seconds / stream.seconds : null;
  return [
    atLeast(
      "four strengths, AlexNet, beside numpy",
      4,
      ratio("AlexNet", "gaussian", "strengths", "numpy"),
    ),
    atMost(
      "four strengths over one read, AlexNet",
      "<= 1.7",
      within("AlexNet", "strengths", "read"),
      1.7,
    ),
    atLeast(
      "eigenvector, 1 M, beside igraph",
      50,
      ratio("1 M", "gaussian", "eigenvector", "igraph"),
    ),
    atLeast(
      "eigenvector, 1 M, beside networkx (numpy)",
      1000,
      ratio("1 M", "gaussian", "eigenvector", "networkx"),
    ),
    atLeast(
      "eigenvector, 4096 x 4096, beside scipy",
      3,
      ratio("4096 x 4096", "gaussian", "eigenvector", "scipy"),
    ),
    atMost(
      "largest residual of an eigenvector",
      "<= 1e-8",
      worst.length === 0 ? null : Math.max(...worst),
      1e-8,
    ),
    ...(["4096 x 4096", "4096 x 25088"] as const).flatMap((network) =>
      (["numpy-masks", "numpy"] as const).flatMap((tool) => [
        atLeast(
          `weighted core, ${network}, Gaussian, beside ${tool}`,
          8,
          ratio(network, "gaussian", "core", tool),
        ),
        atLeast(
          `weighted core, ${network}, heavy-tailed, beside ${tool}`,
          6,
          ratio(network, "heavy-tailed", "core", tool),
        ),
      ]),
    ),
    atMost(
      "hypercore over one strength pass, 4096 x 4096",
      "< 10",
      within("4096 x 4096", "hypercore", "strengths"),
      10,
    ),
    ...["1024 x 1024", "512 x 4608", "4096 x 4096"].map((network) =>
      atLeast(
        `PA rewiring, ${network}, beside numpy`,
        5,
        ratio(network, "gaussian", "rewiring", "numpy"),
      ),
    ),
    atLeast("cold streaming strengths of 4 GB, beside dd", 0.9, speed),
    atMost("its memory in MB", "< 200", stream?.peakMb ?? null, 200),
    atMost(
      "`analyze`, four measures, VGG-16: memory / file size",
      "< 1.25",
      analyze ? (analyze.peakMb * 1e6) / analyze.bytes : null,
      1.25,
    ),
  ];
}

export function sectionOf(run: Run): string {
  const { results, files, versions } = run;
  const parts = [
    "`npm run bench:graph -- --full` runs each contestant in a process of its own on one thread, in alternate rounds after some to warm " +
      "up; times are the processor's, so that other work on the machine counts less; they are medians, and ratios medians of the rounds' ratios (how many times as long the other takes). Heavy-tailed weights are Student's " +
      "t of two degrees of freedom. Peak memory is what Linux counts for the process, the graph included. Building the graph is not timed. " +
      "scipy's eigenvector is ARPACK's (`eigsh`, a tolerance of 1e-8) over numpy's dense products, its basis the fastest of four, in float64 up to 20 M edges and in float32 above; " +
      'ours stops at 1e-8 (`target`), and "to rounding" is what it does unless told. `numpy` peels the core as well as we could make it, `numpy-masks` as one would write it: ' +
      "rows and columns at or below the level leave at once, by boolean masks.",
    `Commit ${run.commit}, ${run.machine}, Node ${run.node}; ` +
      `${Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(", ")}.`,
    "### Targets",
    table(
      ["target", "wanted", "measured", ""],
      targetsOf(run).map(({ what, wanted, measured, met }) => [
        what,
        wanted,
        measured ?? "not run",
        met === null ? "" : met ? "met" : "NOT MET",
      ]),
    ),
  ];
  for (const measure of new Set(results.map((own) => own.measure))) {
    const rows = results.filter((own) => own.measure === measure);
    parts.push(
      `### ${measure[0]!.toUpperCase()}${measure.slice(1)}`,
      table(
        ["network", "weights", "tool", "time", "times as long", "peak MB", "residual"],
        rows.map((own) => {
          const ours = find(rows, { ...own, tool: "weightgraph" });
          const ratio = own.tool === "weightgraph" ? 1 : ratioOf(ours, own);
          return [
            own.network,
            own.weights,
            own.tool,
            own.failure ?? timeText(median(own.seconds)),
            ratio === null ? "" : number(ratio),
            own.peakMb === null ? "" : own.peakMb.toFixed(0),
            own.residual === undefined ? "" : own.residual.toExponential(1),
          ];
        }),
        3,
      ),
    );
  }
  if (files.length > 0) {
    parts.push(
      "### Files",
      table(
        ["what", "file MB", "time", "MB/s", "peak MB"],
        files.map(({ what, note, bytes, seconds, peakMb }) => [
          note === undefined ? what : `${what}: ${note}`,
          (bytes / 1e6).toFixed(0),
          timeText(seconds),
          (bytes / 1e6 / seconds).toFixed(0),
          peakMb.toFixed(0),
        ]),
      ),
    );
  }
  return parts.join("\n\n");
}
