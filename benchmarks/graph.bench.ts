/**
 * The graph engine beside what else a user would take, in one run: graphology, ngraph, networkx, igraph, graph-tool, numpy and
 * scipy. `npm run bench:graph` measures up to 10 M edges; `-- --full` the large networks and files too, and writes
 * benchmarks/RESULTS.md and docs/images/performance.svg. `--quick`: small networks, a few minutes. `--only NAME`: networks or measures whose name
 * holds NAME, `files` being one. `--limit SECONDS` for one answer, 60 by default. `--install`: Debian's packages of the peers first.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { drawnCase, shapes, trainedCase, type CaseFile, type NetworkName } from "./graph/cases.ts";
import { analyzeLarge, bytesOf, streaming, type FileResult } from "./graph/files.ts";
import { fullPlan, general, quickPlan, targeted, type Planned } from "./graph/plan.ts";
import { growthPlot } from "./graph/plot.ts";
import { median, race, type Result } from "./graph/race.ts";
import { replaceSection, sectionOf, timeText, type Run } from "./graph/report.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const python = process.env["PYTHON"] ?? "/usr/bin/python3";
const packages = ["numpy", "scipy", "networkx", "igraph", "graph-tool"];
const title = "The graph engine beside its peers";

const has = (flag: string): boolean => argv.includes(`--${flag}`);
const only = argv.includes("--only") ? (argv[argv.indexOf("--only") + 1] ?? "") : null;
const [quick, full] = [has("quick"), has("full")];

function output(program: string, given: readonly string[]): string | null {
  try {
    return execFileSync(program, given, { stdio: ["ignore", "pipe", "ignore"] })
      .toString()
      .trim();
  } catch {
    return null;
  }
}

function install(): void {
  const names = packages.map((name) => `python3-${name}`);
  execFileSync("apt-get", ["update"], { stdio: "inherit" });
  execFileSync("apt-get", ["install", "-y", "--no-install-recommends", ...names], {
    stdio: "inherit",
  });
}

/** Version of each Python peer that is here. */
function versionsOf(): Record<string, string> {
  const found = packages.flatMap((name): [string, string][] => {
    const module = name.replace("-", "_");
    const version = output(python, ["-c", `import ${module}; print(${module}.__version__)`]);
    return version === null ? [] : [[name, version.split(" ")[0]!]];
  });
  return Object.fromEntries(found);
}

/** Whether `--only` asks for it. */
const wanted = (...names: readonly string[]): boolean =>
  only === null || names.some((name) => name.toLowerCase().includes(only.toLowerCase()));

function entriesFor(
  { network, entries }: Pick<Planned, "entries"> & { network: string },
  present: (tool: string) => boolean,
): Planned["entries"] {
  return Object.fromEntries(
    Object.entries(entries)
      .filter(([measure]) => wanted(network, measure))
      .map(([measure, tools]): [string, readonly string[]] => [measure, tools.filter(present)])
      .filter(([, tools]) => tools.length > 0),
  );
}

if (has("install")) install();
const versions = versionsOf();
const ofNode = ["weightgraph", "graphology", "ngraph"];
/** One of numpy's ways is called numpy-masks. */
const present = (tool: string): boolean =>
  ofNode.includes(tool) || tool in versions || (tool.startsWith("numpy-") && "numpy" in versions);
const folder = mkdtempSync(join(tmpdir(), "weightgraph-bench-"));
const results: Result[] = [];
const files: FileResult[] = [];
const limitSeconds = argv.includes("--limit") ? Number(argv[argv.indexOf("--limit") + 1]) : 60;
const limits = { rounds: quick ? 2 : 3, limitMs: quick ? 5000 : 1000 * limitSeconds };

/** The smallest network on which a tool took too long over a measure: larger ones are not tried. */
const tooLong = new Map<string, Result>();

async function compete(given: CaseFile, entries: Planned["entries"]): Promise<void> {
  const path = join(folder, "case.json");
  writeFileSync(path, JSON.stringify(given));
  const tried: Record<string, readonly string[]> = {};
  for (const [measure, tools] of Object.entries(entries)) {
    const lost = (tool: string): Result | undefined => {
      const slow = tooLong.get(`${tool} ${measure}`);
      return slow !== undefined && slow.edges <= given.edges ? slow : undefined;
    };
    tried[measure] = tools.filter((tool) => lost(tool) === undefined);
    for (const slow of tools.flatMap((tool) => lost(tool) ?? [])) {
      const { name: network, weights, edges } = given;
      const failure = `${slow.failure} at ${slow.network}`;
      results.push({ ...slow, network, weights, edges, failure, peakMb: null });
    }
  }
  await race({ ...given, path }, tried, limits, (result) => {
    results.push(result);
    if (result.failure?.includes("over ") === true) {
      tooLong.set(`${result.tool} ${result.measure}`, result);
    }
    const { network, weights, measure, tool, failure, seconds } = result;
    const time = failure ?? timeText(median(seconds));
    console.log(`${network}, ${weights}`.padEnd(28), measure.padEnd(22), tool.padEnd(12), time);
  });
}

function sizeOf(network: NetworkName): number {
  return shapes[network].reduce((sum, [rows, columns]) => sum + rows * columns, 0);
}

const npmVersion = (name: string): string =>
  (
    JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")) as {
      version: string;
    }
  ).version;
const runSoFar = (): Run => ({
  commit: output("git", ["-C", root, "rev-parse", "--short", "HEAD"]) ?? "unknown",
  machine: `${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores`,
  node: process.version,
  versions: {
    ...Object.fromEntries(
      ["graphology", "graphology-metrics", "ngraph.graph"].map((name) => [name, npmVersion(name)]),
    ),
    ...versions,
  },
  results,
  files,
});

/** After each network, so that a run that is stopped leaves what it has. */
function publish(): void {
  if (!full || only !== null) return;
  const path = join(root, "benchmarks/RESULTS.md");
  const section = sectionOf(runSoFar());
  writeFileSync(path, replaceSection(readFileSync(path, "utf8"), title, section));
  writeFileSync(join(root, "docs/images/performance.svg"), growthPlot(results));
}

async function drawn({ network, laws, entries }: Planned): Promise<void> {
  const own = entriesFor({ network, entries }, present);
  if (Object.keys(own).length === 0) return;
  for (const law of laws) {
    const given = drawnCase(network, law, folder);
    await compete(given, own);
    rmSync(given.file);
    publish();
  }
}

async function trained(name: string): Promise<void> {
  const own = entriesFor({ network: name, entries: general }, present);
  if (Object.keys(own).length === 0) return;
  const path = join(root, "../shared/data/onnx", `${name}.onnx`);
  const given = await trainedCase(path, name, folder).catch(() => null);
  if (given !== null) await compete(given, own);
  publish();
}

async function largeFiles(): Promise<void> {
  const { file } = drawnCase("10 M", "gaussian", folder);
  const values = bytesOf(file);
  files.push(...(await streaming(folder, { bytes: 4e9, values, rounds: 3 })));
  files.push(await analyzeLarge(folder, shapes["VGG-16"], values));
  publish();
}

try {
  const plan = quick ? quickPlan : fullPlan.filter(({ network }) => full || sizeOf(network) < 2e7);
  // What the targets are about comes first.
  for (const planned of plan.slice(0, targeted)) await drawn(planned);
  if (full && wanted("files")) await largeFiles();
  for (const name of quick ? ["hello_deepa"] : ["hello_deepa", "magika_standard_v3_3"]) {
    await trained(name);
  }
  for (const planned of plan.slice(targeted)) await drawn(planned);
} finally {
  rmSync(folder, { recursive: true });
}
console.log(`\n${sectionOf(runSoFar())}`);
