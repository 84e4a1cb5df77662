/**
 * Files larger than memory allows: `layers` and `doctor` on a safetensors file of 3 GB and an ONNX model with 2.5 GB of external
 * data, and `layers` beside onnx-proto and protobufjs on ONNX weights that all three can take. Each runs in a process of its own,
 * which tells the most that it held. The large files are sparse: they take no room on the disk. Run: `npm run bench:files`.
 */
import { spawn } from "node:child_process";
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import onnxProto from "onnx-proto";

const root = fileURLToPath(new URL("..", import.meta.url));
const { ModelProto, TensorProto } = onnxProto.onnx;
const side = 11_180;
const layerBytes = 4 * side * side;

const layersLimitMb = 300;
const doctorLimitMs = 1000;

interface Measured {
  readonly ms: number;
  readonly residentMb: number;
}

/** Written by the process itself, as its last word: what Linux counts since its start, in kB. */
const tellPeak =
  "data:text/javascript,import{readFileSync}from'node:fs';process.on('exit',()=>" +
  "process.stderr.write('\\n'+/VmHWM.*/.exec(readFileSync('/proc/self/status','utf8'))[0]+'\\n'))";

function measure(argv: readonly string[]): Promise<Measured> {
  const start = performance.now();
  const child = spawn(process.execPath, ["--import", tellPeak, ...argv], {
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on("exit", (code) => {
      const peak = /VmHWM:\s+(\d+)/.exec(stderr)?.[1];
      if (code !== 0 || peak === undefined)
        return reject(new Error(`${argv.join(" ")}: ${stderr}`));
      resolve({ ms: performance.now() - start, residentMb: (Number(peak) * 1024) / 1e6 });
    });
  });
}

/** `layers` square matrices, all zeros. */
function makeSafetensors(path: string, layers: number): void {
  const entries = Array.from({ length: layers }, (_, i) => [
    `layers.${i}.weight`,
    { dtype: "F32", shape: [side, side], data_offsets: [i * layerBytes, (i + 1) * layerBytes] },
  ]);
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)).padEnd(2048));
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(json.length));
  makeSparse(path, Buffer.concat([head, json]), layers * layerBytes);
}

function makeSparse(path: string, head: Uint8Array, more: number): void {
  const file = openSync(path, "w");
  writeSync(file, head);
  ftruncateSync(file, head.byteLength + more);
  closeSync(file);
}

/** The bytes of a chain of MatMul nodes; its weights inside, or in `dataFile` beside it. */
function onnxChain(layers: number, dataFile?: string): Uint8Array {
  const initializer = Array.from({ length: layers }, (_, i) => ({
    name: `w${i}`,
    dims: [side, side],
    dataType: TensorProto.DataType.FLOAT,
    ...(dataFile === undefined
      ? { rawData: new Uint8Array(layerBytes) }
      : {
          dataLocation: TensorProto.DataLocation.EXTERNAL,
          externalData: [
            { key: "location", value: dataFile },
            { key: "offset", value: String(i * layerBytes) },
            { key: "length", value: String(layerBytes) },
          ],
        }),
  }));
  const names = ["x", ...initializer.map(({ name }) => `after_${name}`)];
  const node = initializer.map(({ name }, i) => ({
    opType: "MatMul",
    input: [names[i]!, name],
    output: [names[i + 1]!],
  }));
  const graph = { name: "chain", node, initializer, input: [], output: [{ name: names.at(-1)! }] };
  const model = { irVersion: 8, opsetImport: [{ domain: "", version: 15 }], graph };
  return ModelProto.encode(ModelProto.fromObject(model)).finish();
}

const peers = {
  "onnx-proto": `
    const { onnx } = (await import("onnx-proto")).default;
    const model = onnx.ModelProto.decode((await import("node:fs")).readFileSync(path));
    for (const tensor of model.graph.initializer) sum(tensor.rawData);`,
  protobufjs: `
    const protobuf = (await import("protobufjs")).default;
    const { root } = protobuf.parse(\`syntax = "proto3";
      message Tensor { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; }
      message Graph { repeated Tensor initializer = 5; }
      message Model { Graph graph = 7; }\`);
    const model = root.lookupType("Model").decode((await import("node:fs")).readFileSync(path));
    for (const tensor of model.graph.initializer) sum(tensor.rawData);`,
};

/** The signed and absolute sums of each tensor, as a user of these libraries would get them. */
const peerProgram = (path: string, decode: string): string => `
  const path = ${JSON.stringify(path)};
  const sum = (bytes) => {
    const values = new Float32Array(new Uint8Array(bytes).buffer);
    let [signed, absolute] = [0, 0];
    for (const value of values) { signed += value; absolute += Math.abs(value); }
    console.log(signed, absolute);
  };
  ${decode}`;

const folder = mkdtempSync(join(tmpdir(), "weightgraph-large-"));
const cli = "dist/cli/main.js";
let failures = 0;
const line = (what: string, { ms, residentMb }: Measured, isWithin = true): void => {
  if (!isWithin) failures++;
  const verdict = isWithin ? "" : "  OVER THE LIMIT";
  console.log(
    `${what.padEnd(58)}${(ms / 1000).toFixed(2).padStart(8)} s${residentMb.toFixed(0).padStart(7)} MB${verdict}`,
  );
};
try {
  const tensors = join(folder, "big.safetensors");
  makeSafetensors(tensors, 6);
  const external = join(folder, "big.onnx");
  makeSparse(external, onnxChain(5, "big.onnx.data"), 0);
  makeSparse(join(folder, "big.onnx.data"), new Uint8Array(), 5 * layerBytes);
  for (const [what, path] of [
    ["safetensors, 3.0 GB", tensors],
    ["ONNX, 2.5 GB of external data", external],
  ] as const) {
    const layers = await measure([cli, "layers", path, "--json"]);
    line(`layers  ${what}`, layers, layers.residentMb < layersLimitMb);
    const doctor = await measure([cli, "doctor", path, "--json"]);
    line(`doctor  ${what}`, doctor, doctor.ms < doctorLimitMs);
  }
  const inside = join(folder, "inside.onnx");
  makeSparse(inside, onnxChain(1), 0);
  const own = await measure([cli, "layers", inside, "--json"]);
  line("layers  ONNX, 0.5 GB of raw_data", own);
  for (const [name, decode] of Object.entries(peers)) {
    const program = peerProgram(inside, decode);
    const peer = await measure(["--input-type=module", "-e", program]);
    line(`${name}, the same file, sums alone`, peer);
    console.log(
      `  weightgraph holds ${(own.residentMb / peer.residentMb).toFixed(2)} of what ${name} holds`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}
process.exitCode = failures > 0 ? 1 : 0;
