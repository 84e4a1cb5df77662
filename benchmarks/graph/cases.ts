/** The networks that are measured: layer lists, weights drawn or trained, written as raw float32 for every contestant to read. */
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { layeredGraph, openModel } from "../../src/node.ts";
import { edgeWeights } from "../../src/graph/block.ts";
import { createRandom } from "../../src/random.ts";

/** A row per receiving neuron, a column per sending one. */
interface CaseBlock {
  readonly rows: number;
  readonly columns: number;
  readonly rowNodes: readonly number[];
  readonly columnNodes: readonly number[];
}

export interface CaseFile {
  readonly name: string;
  readonly weights: string;
  readonly edges: number;
  readonly nodeCount: number;
  readonly blocks: readonly CaseBlock[];
  /** Raw float32, block after block. */
  readonly file: string;
}

export type Law = "gaussian" | "heavy-tailed";

/** [rows, columns] of each matrix; it continues the one before where its columns are as many as that one's rows. */
type Shapes = readonly (readonly [number, number])[];

const conv = (out: number, into: number, side: number): readonly [number, number] => [
  out,
  into * side * side,
];

export type NetworkName =
  | "tiny"
  | "64 x 64"
  | "60 k"
  | "1 M"
  | "10 M"
  | "1024 x 1024"
  | "512 x 4608"
  | "4096 x 4096"
  | "4096 x 25088"
  | "AlexNet"
  | "VGG-16";

/** A convolution is the matrix [out, in * kernel area], as rewiring and strengths read it. */
export const shapes: Readonly<Record<NetworkName, Shapes>> = {
  tiny: [
    [40, 64],
    [10, 40],
  ],
  "64 x 64": [[64, 64]],
  "60 k": [
    [70, 784],
    [64, 70],
    [10, 64],
  ],
  "1 M": [
    [1000, 784],
    [200, 1000],
    [80, 200],
  ],
  "10 M": [
    [2500, 3072],
    [900, 2500],
    [76, 900],
  ],
  "1024 x 1024": [[1024, 1024]],
  "512 x 4608": [[512, 4608]],
  "4096 x 4096": [[4096, 4096]],
  "4096 x 25088": [[4096, 25_088]],
  AlexNet: [
    conv(64, 3, 11),
    conv(192, 64, 5),
    conv(384, 192, 3),
    conv(256, 384, 3),
    conv(256, 256, 3),
    [4096, 9216],
    [4096, 4096],
    [1000, 4096],
  ],
  "VGG-16": [
    conv(64, 3, 3),
    conv(64, 64, 3),
    conv(128, 64, 3),
    conv(128, 128, 3),
    conv(256, 128, 3),
    conv(256, 256, 3),
    conv(256, 256, 3),
    conv(512, 256, 3),
    ...Array.from({ length: 5 }, () => conv(512, 512, 3)),
    [4096, 25_088],
    [4096, 4096],
    [1000, 4096],
  ],
};

/** Numbers the neurons and writes the drawn weights. */
export function drawnCase(name: NetworkName, law: Law, folder: string): CaseFile {
  const blocks: CaseBlock[] = [];
  let nodeCount = 0;
  const neurons = (count: number): number[] => {
    nodeCount += count;
    return Array.from({ length: count }, (_, i) => nodeCount - count + i);
  };
  let edges = 0;
  for (const [rows, columns] of shapes[name]) {
    const last = blocks.at(-1)?.rowNodes;
    const columnNodes = last?.length === columns ? last : neurons(columns);
    blocks.push({ rows, columns, columnNodes, rowNodes: neurons(rows) });
    edges += rows * columns;
  }
  const file = join(folder, `${name} ${law}.f32`.replaceAll(" ", "-"));
  writeDrawn(file, edges, law);
  return { name, weights: law, edges, nodeCount, blocks, file };
}

/** Values drawn one by one up to here; larger networks repeat them in runs that begin anywhere, with either sign. */
const pool = 2 ** 21;
const run = 2 ** 12;

function writeDrawn(path: string, count: number, law: Law): void {
  const random = createRandom(law === "gaussian" ? 1 : 2);
  const drawn = Float32Array.from({ length: Math.min(count, pool) }, () => {
    // Student's t of two degrees of freedom: a normal over the root of a mean-1 exponential.
    const scale = law === "gaussian" ? 1 : 1 / Math.sqrt(random.exponential());
    return 0.02 * random.normal() * scale;
  });
  const negated = drawn.map((value) => -value);
  const file = openSync(path, "w");
  writeSync(file, drawn);
  for (let at = drawn.length; at < count; at += run) {
    const start = random.integer(drawn.length - run);
    const source = random.integer(2) === 0 ? drawn : negated;
    writeSync(file, source.subarray(start, start + Math.min(run, count - at)));
  }
  closeSync(file);
}

/** The rolled graph of a model file, each edge by its norm. */
export async function trainedCase(path: string, name: string, folder: string): Promise<CaseFile> {
  const graph = await layeredGraph(await openModel(path));
  const file = join(folder, `${name}.f32`);
  const blocks: CaseBlock[] = [];
  const parts: Float32Array[] = [];
  let edges = 0;
  for (const block of graph.blocks) {
    const rows = block.rows / block.groups;
    const columns = block.columns / block.groups;
    const weights = Float32Array.from(edgeWeights(block, "norm"));
    edges += weights.length;
    parts.push(weights);
    for (let group = 0; group < block.groups; group++) {
      const part = (nodes: Int32Array, size: number): number[] =>
        Array.from(nodes.subarray(group * size, (group + 1) * size));
      const rowNodes = part(block.rowNodes, rows);
      blocks.push({ rows, columns, rowNodes, columnNodes: part(block.columnNodes, columns) });
    }
  }
  writeFileSync(file, Buffer.concat(parts.map((part) => Buffer.from(part.buffer))));
  return { name, weights: "trained", edges, nodeCount: graph.nodeCount, blocks, file };
}

/** A safetensors file of these layers, as large as asked by repeating them; the weights are those of a case's file. */
export function writeSafetensorsLike(
  path: string,
  tensors: readonly (readonly [name: string, shape: readonly number[]])[],
  values: Uint8Array,
): void {
  let offset = 0;
  const entries = tensors.map(([name, shape]) => {
    const start = offset;
    offset += 4 * shape.reduce((product, size) => product * size, 1);
    return [name, { dtype: "F32", shape, data_offsets: [start, offset] }] as const;
  });
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const head = Buffer.alloc(8);
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, " ")]);
  head.writeBigUInt64LE(BigInt(padded.length));
  const file = openSync(path, "w");
  writeSync(file, head);
  writeSync(file, padded);
  for (let at = 0; at < offset;) {
    const more = values.subarray(0, Math.min(values.byteLength, offset - at));
    at += writeSync(file, more);
  }
  closeSync(file);
}
