/** Analyses the trained network in fixtures/, follows its training, and writes demo/report.html. Run by `npm run demo`. */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import {
  coverageOf,
  layeredGraph,
  measureById,
  openModel,
  openSeries,
  snapshotRecords,
} from "../src/node.ts";

const root = dirname(createRequire(import.meta.url).resolve("weightgraph/package.json"));
const folder = join(root, "fixtures", "mnist-mlp");
const file = join(folder, "final.onnx");
const report = join(root, "demo", "report.html");

const model = await openModel(file);
const graph = await layeredGraph(model);
const { weights, share } = coverageOf(model);
const sizes = graph.layers.map(({ size }) => size).join(" - ");
console.log(`${model.name}: ${model.format}, layers ${sizes}, ${weights} weights`);
console.log(`${(100 * share).toFixed(0)} % of its parameters are explained\n`);

for (const id of ["strength", "eigenvector", "hypercore"]) {
  const { title, run } = measureById(id);
  const values = run(graph).nodes.map((value) => value ?? -Infinity);
  const highest = values.reduce((a, b) => Math.max(a, b));
  const node = values.indexOf(highest);
  const layer = graph.layers.findLast(({ offset }) => offset <= node)!;
  console.log(`${title}: highest at ${layer.name} · ${node - layer.offset}, ${highest.toFixed(4)}`);
}

console.log("\nepoch  test_acc  mean degree  skewness of centrality");
const { snapshots } = await openSeries(folder);
for (const snapshot of snapshots) {
  const { epoch, metrics } = snapshot;
  const records = snapshotRecords({ epoch, graph: await layeredGraph(await snapshot.load()) });
  const [degree, eigenvector] = records;
  console.log(
    String(epoch).padStart(5),
    String(metrics["test_acc"]).padStart(9),
    degree!.mean.toFixed(4).padStart(12),
    eigenvector!.skewness.toFixed(4).padStart(23),
  );
}

const cli = join(root, "dist", "cli", "main.js");
const { status, stderr } = spawnSync(
  process.execPath,
  [cli, "report", file, "--series", folder, "--out", report, "--force"],
  { stdio: ["ignore", "inherit", "pipe"], encoding: "utf8" },
);
if (status !== 0) throw new Error(`weightgraph report ended with ${status}: ${stderr}`);
console.log(`\npictures: ${relative(process.cwd(), report)}`);
console.log("in the browser: npx weightgraph view fixtures/mnist-mlp");
