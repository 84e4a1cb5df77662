/**
 * One contestant in a process of its own: reads a case, says `ready`, then answers each line of stdin, the name of a measure, with
 * a line of JSON. `node --import tsx contestant.ts TOOL CASE.json`, TOOL being weightgraph, graphology or ngraph.
 */
import { openSync, readFileSync, readSync } from "node:fs";
import { argv, cpuUsage, stdin, stdout } from "node:process";
import { createInterface } from "node:readline";
import { UndirectedGraph } from "graphology";
import eigenvectorModule from "graphology-metrics/centrality/eigenvector.js";
import createGraph from "ngraph.graph";
import {
  coreNumber,
  eigenvectorCentrality,
  hypercoreNumber,
  layeredGraph,
  nodeStrength,
  rewirePreferentially,
  topologyBuilder,
  type LayeredGraph,
  type Model,
  type StoredTensor,
  type WeightLayer,
} from "../../src/index.ts";
import { arenaOf } from "../../src/kernels/weightArena.ts";
import { weightLayout } from "../../src/tensor/layout.ts";
import type { CaseFile } from "./cases.ts";

interface Answer {
  readonly residual?: number;
  readonly largest?: number;
}
type Measures = Readonly<Record<string, () => Answer>>;

// Its types describe the compiled module, whose default export is what Node imports here.
const theirCentrality = eigenvectorModule as unknown as typeof eigenvectorModule.default;

const [tool, casePath] = argv.slice(2);
const given = JSON.parse(readFileSync(casePath!, "utf8")) as CaseFile;

/** A model that reads its weights from the case's file, its topology declared. */
function modelOf({ name, blocks, nodeCount, file }: CaseFile): Model {
  const builder = topologyBuilder();
  const neurons = builder.addLayer("neurons", nodeCount, "unknown");
  const handle = openSync(file, "r");
  let offset = 0;
  const layers = blocks.map(({ rows, columns, rowNodes, columnNodes }, i): WeightLayer => {
    const first = offset;
    const byteLength = 4 * rows * columns;
    offset += byteLength;
    const readSpan = (start: number, end: number, room?: Float32Array): Promise<Float32Array> => {
      const values = room?.subarray(0, end - start) ?? new Float32Array(end - start);
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      for (let at = 0; at < bytes.length;) {
        at += readSync(handle, bytes, at, bytes.length - at, first + 4 * start + at);
      }
      return Promise.resolve(values);
    };
    const tensor: StoredTensor = {
      name: `${i}.weight`,
      dtype: "float32",
      shape: [rows, columns],
      role: "weight",
      location: { file: null, offset: first, byteLength },
      read: () => readSpan(0, rows * columns),
      readSpan,
    };
    const layout = weightLayout([rows, columns], ["out", "in"]);
    const at = (ids: readonly number[]): Int32Array => Int32Array.from(ids, (id) => neurons[id]!);
    const [from, to] = [at(columnNodes), at(rowNodes)];
    builder.connect({ layer: i, from, to, layout, recurrent: false });
    const shape = { in: columns, out: rows, sendersKnown: true, layout };
    return { name: `${i}`, op: null, kind: "dense", tensor, ...shape };
  });
  const topology = builder.build("declared");
  const tensors = layers.map(({ tensor }) => tensor);
  const facts = { format: "raw", producer: null, warnings: [], metadata: {} };
  return { name, tensors, layers, topology, ...facts };
}

async function weightgraph(): Promise<Measures> {
  const graph = await layeredGraph(modelOf(given));
  // What is known of a block is kept with it: a copy knows nothing.
  const fresh = (): LayeredGraph => ({ ...graph, blocks: graph.blocks.map((b) => ({ ...b })) });
  return {
    read: () => {
      for (const { weights } of graph.blocks) {
        const arena = arenaOf(weights);
        if (arena === null) weights!.findIndex((weight) => !Number.isFinite(weight));
        else arena.kernels.firstNotFinite(weights!.byteOffset, weights!.length);
      }
      return {};
    },
    strengths: () => {
      const own = fresh();
      for (const sign of ["positive", "negative"] as const) {
        for (const direction of ["in", "out"] as const) nodeStrength(own, { sign, direction });
      }
      return {};
    },
    eigenvector: () => {
      const { residual, eigenvalue } = eigenvectorCentrality(fresh(), { target: 1e-8 });
      return { residual, largest: eigenvalue };
    },
    "eigenvector, to rounding": () => {
      const { residual, eigenvalue } = eigenvectorCentrality(fresh());
      return { residual, largest: eigenvalue };
    },
    core: () => ({ largest: most(coreNumber(fresh()).values) }),
    "k-core": () => ({ largest: most(coreNumber(fresh(), { unweighted: true }).values) }),
    hypercore: () => ({ largest: most(hypercoreNumber(fresh()).values) }),
    rewiring: () => {
      const { rows, columns, weights } = graph.blocks[0]!;
      rewirePreferentially({ weights: weights as Float32Array, rows, columns });
      return {};
    },
  };
}

const most = (values: Float64Array): number => values.reduce((a, b) => Math.max(a, b), 0);

/** Calls `visit` with each edge. */
function eachEdge(visit: (from: number, to: number, weight: number) => void): void {
  const bytes = readFileSync(given.file);
  const weights = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  let at = 0;
  for (const { rowNodes, columnNodes } of given.blocks) {
    for (const to of rowNodes) for (const from of columnNodes) visit(from, to, weights[at++]!);
  }
}

function forGraphology(): Measures {
  const graph = new UndirectedGraph<object, { weight: number; size: number }>();
  for (let i = 0; i < given.nodeCount; i++) graph.addNode(i);
  eachEdge((from, to, weight) => graph.addEdge(from, to, { weight, size: Math.abs(weight) }));
  return {
    strengths: () => {
      const sums = new Float64Array(4 * given.nodeCount);
      graph.forEachEdge((_, { weight }, source, target) => {
        const side = weight > 0 ? 0 : 2;
        sums[4 * Number(target) + side]! += weight;
        sums[4 * Number(source) + side + 1]! += weight;
      });
      return {};
    },
    eigenvector: () => {
      const values = theirCentrality(graph, { getEdgeWeight: "size" });
      return { largest: Object.keys(values).length };
    },
  };
}

function forNgraph(): Measures {
  const graph = createGraph<object, number>();
  eachEdge((from, to, weight) => graph.addLink(from, to, weight));
  return {
    strengths: () => {
      const sums = new Float64Array(4 * given.nodeCount);
      graph.forEachLink(({ fromId, toId, data }) => {
        const side = data > 0 ? 0 : 2;
        sums[4 * Number(toId) + side]! += data;
        sums[4 * Number(fromId) + side + 1]! += data;
      });
      return {};
    },
  };
}

function processorSeconds(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1e6;
}

/** The median of as many runs as fit into a quarter of a second, or one that takes longer. */
function timed(measure: () => Answer): Answer & { readonly seconds: number } {
  const times: number[] = [];
  let answer: Answer = {};
  const begin = processorSeconds();
  do {
    const start = processorSeconds();
    answer = measure();
    times.push(processorSeconds() - start);
  } while (processorSeconds() - begin < 0.25);
  return { seconds: times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]!, ...answer };
}

const peak = (): number => {
  const status = readFileSync("/proc/self/status", "utf8");
  return (Number(/VmHWM:\s+(\d+)/.exec(status)![1]) * 1024) / 1e6;
};
const tell = (answer: object): void => {
  stdout.write(`${JSON.stringify(answer)}\n`);
};

const tools: Readonly<Record<string, () => Measures | Promise<Measures>>> = {
  weightgraph,
  graphology: forGraphology,
  ngraph: forNgraph,
};
try {
  const measures = await tools[tool!]!();
  tell({ ready: true, peakMb: peak() });
  for await (const line of createInterface({ input: stdin })) {
    try {
      tell({ ...timed(measures[line]!), peakMb: peak() });
    } catch (error) {
      tell({ failure: String(error).split("\n")[0], peakMb: peak() });
    }
  }
} catch (error) {
  tell({ failure: String(error).split("\n")[0], peakMb: peak() });
}
