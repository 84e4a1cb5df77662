/** Large files: strengths of 4 GB as they stream by, beside dd, and the core measures of VGG-16's weights in little memory. */
import { spawn } from "node:child_process";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeSafetensorsLike } from "./cases.ts";
import { median } from "./race.ts";

export interface FileResult {
  readonly what: string;
  readonly note?: string;
  readonly bytes: number;
  readonly seconds: number;
  readonly peakMb: number;
}

const cli = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** Written by the process itself, as its last word: what Linux counts since its start, in kB. */
const tellPeak =
  "data:text/javascript,import{readFileSync}from'node:fs';process.on('exit',()=>" +
  "process.stderr.write('\\n'+/VmHWM.*/.exec(readFileSync('/proc/self/status','utf8'))[0]+'\\n'))";

interface Ran {
  readonly code: number | null;
  readonly seconds: number;
  readonly stderr: string;
}

function run(program: string, argv: readonly string[]): Promise<Ran> {
  const start = performance.now();
  const child = spawn(program, argv, { stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const timer = setTimeout(() => child.kill("SIGKILL"), 180_000);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => {
      clearTimeout(timer);
      resolve({ code, stderr, seconds: (performance.now() - start) / 1000 });
    });
  });
}

async function runCli(what: string, path: string, argv: readonly string[]): Promise<FileResult> {
  const { code, seconds, stderr } = await run(process.execPath, [
    "--import",
    tellPeak,
    cli,
    ...argv,
  ]);
  const peak = /VmHWM:\s+(\d+)/.exec(stderr)?.[1];
  const bytes = statSync(path).size;
  const peakMb = peak === undefined ? NaN : (Number(peak) * 1024) / 1e6;
  const failure =
    code === 0
      ? undefined
      : stderr
          .trim()
          .split("\n")
          .find((line) => line !== "");
  return {
    what,
    bytes,
    seconds,
    peakMb,
    ...(code !== 0 && { note: `failed: ${failure ?? code}` }),
  };
}

/** What the file's pages hold in memory goes; without root, what `dd` can drop of this one file. */
async function cool(path: string): Promise<void> {
  await run("sync", [path]);
  try {
    writeFileSync("/proc/sys/vm/drop_caches", "1\n");
  } catch {
    await run("dd", [`if=${path}`, "iflag=nocache", "count=0"]);
  }
}

async function hasThreads(): Promise<boolean> {
  const child = spawn(process.execPath, [cli, "analyze", "--help"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  let help = "";
  child.stdout.on("data", (chunk: Buffer) => (help += chunk.toString()));
  await new Promise((resolve) => child.on("exit", resolve));
  return help.includes("--threads");
}

/** `bytes` of dense layers, cold, in alternate rounds. */
export async function streaming(
  folder: string,
  { bytes, values, rounds }: { bytes: number; values: Uint8Array; rounds: number },
): Promise<FileResult[]> {
  const path = join(folder, "stream.safetensors");
  const side = 4096;
  const count = Math.max(1, Math.round(bytes / (4 * side * side)));
  writeSafetensorsLike(
    path,
    Array.from({ length: count }, (_, i) => [`layers.${i}.weight`, [side, side]] as const),
    values,
  );
  const threads = (await hasThreads()) ? ["--threads", "1"] : [];
  const argv = ["analyze", path, "--measures", "strength", "--json", ...threads];
  const ours: FileResult[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await cool(path);
    ours.push(await runCli("streaming strengths", path, argv));
    await cool(path);
    theirs.push((await run("dd", [`if=${path}`, "of=/dev/null", "bs=4M"])).seconds);
  }
  rmSync(path);
  const size = ours[0]!.bytes;
  return [
    {
      ...ours[0]!,
      seconds: median(ours.map(({ seconds }) => seconds)),
      peakMb: Math.max(...ours.map(({ peakMb }) => peakMb)),
    },
    { what: "dd", bytes: size, seconds: median(theirs), peakMb: 4 },
  ];
}

/** The four core measures on a model of these layers. */
export async function analyzeLarge(
  folder: string,
  shapes: readonly (readonly [number, number])[],
  values: Uint8Array,
): Promise<FileResult> {
  const path = join(folder, "large.safetensors");
  writeSafetensorsLike(
    path,
    shapes.map((shape, i) => [`layers.${i}.weight`, shape] as const),
    values,
  );
  const threads = (await hasThreads()) ? ["--threads", "1"] : [];
  const measures = "strength,eigenvector,core,hypercore";
  const result = await runCli("analyze", path, [
    "analyze",
    path,
    "--measures",
    measures,
    "--json",
    ...threads,
  ]);
  rmSync(path);
  return result;
}

export function bytesOf(path: string): Uint8Array {
  return readFileSync(path);
}
