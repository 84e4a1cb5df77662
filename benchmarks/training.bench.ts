/**
 * Steps per second of the wasm engine beside PyTorch on one thread: LeNet-5, batch 64, float32, in alternate rounds, so that both
 * meet the same machine. Fails below a ratio of 0.4. Run: `npm run bench:training`.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { createRandom } from "../src/random.ts";
import { wasmEngine } from "../src/train/engines/wasm.ts";
import { initializers } from "../src/train/initializers/initializers.ts";
import { losses } from "../src/train/losses/losses.ts";
import { planNetwork } from "../src/train/network.ts";
import { completeOptions } from "../src/train/optimizers/optimizer.ts";
import { optimizers } from "../src/train/optimizers/optimizers.ts";
import { createTrainer } from "../src/train/trainer.ts";
import { buildArchitecture } from "../src/train/zoo/architectures.ts";

const batch = 64;
const rounds = 9;
const stepsPerRound = 60;
const leastRatio = 0.4;
const python = process.env["PYTHON"] ?? "/usr/bin/python3";

/** One side of the race: seconds for so many steps. */
interface Contestant {
  readonly name: string;
  readonly run: (steps: number) => Promise<number>;
  readonly stop: () => void;
}

async function weightgraph(optimizer: "adam" | "sgd"): Promise<Contestant> {
  const registered = optimizers.get(optimizer);
  const options = optimizer === "adam" ? {} : { learningRate: 0.01, momentum: 0.9 };
  const architecture = buildArchitecture("lenet5", { inputShape: [1, 28, 28], classes: 10 });
  const trainer = await createTrainer(
    {
      network: planNetwork(architecture),
      members: [{ seed: 0, optimizer: completeOptions(registered, options) }],
      optimizer: registered,
      loss: losses.get("crossEntropy"),
      stepSizes: [batch],
      evaluationSizes: [],
      sharedBatches: true,
    },
    wasmEngine(),
  );
  trainer.initialise(initializers.get("torchDefault"));
  const random = createRandom(1);
  const images = Float32Array.from({ length: batch * 784 }, () => random.uniform());
  const labels = Int32Array.from({ length: batch }, () => random.integer(10));
  let step = 0;
  return {
    name: "weightgraph, wasm",
    async run(steps) {
      const start = performance.now();
      for (let i = 0; i < steps; i++) await trainer.step({ images, labels }, batch, ++step);
      return (performance.now() - start) / 1000;
    },
    stop: () => trainer.dispose(),
  };
}

/** Null where there is no PyTorch. */
async function pytorch(optimizer: string): Promise<Contestant | null> {
  const script = fileURLToPath(new URL("torchLenet5.py", import.meta.url));
  const child = spawn(python, [script, String(batch), optimizer], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.on("error", () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<string | null> => {
    const next = await lines.next();
    return next.done === true ? null : next.value;
  };
  const version = await answer();
  if (version === null) return null;
  return {
    name: `PyTorch ${version}, 1 thread`,
    async run(steps) {
      child.stdin.write(`${steps}\n`);
      return Number(await answer());
    },
    stop: () => child.stdin.end(),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Steps per second of each contestant, round by round. */
async function race(contestants: readonly Contestant[]): Promise<number[][]> {
  for (const { run } of contestants) await run(30);
  const speeds = contestants.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, { run }] of contestants.entries()) {
      speeds[i]!.push(stepsPerRound / (await run(stepsPerRound)));
    }
  }
  return speeds;
}

console.log(`LeNet-5, batch ${batch}, float32; ${rounds} rounds of ${stepsPerRound} steps in turn`);
console.log(`${cpus()[0]?.model ?? "unknown processor"}, Node ${process.version}`);
for (const optimizer of ["adam", "sgd"] as const) {
  const ours = await weightgraph(optimizer);
  const theirs = await pytorch(optimizer);
  const contestants = theirs === null ? [ours] : [ours, theirs];
  const speeds = await race(contestants);
  console.log(`\n${optimizer === "adam" ? "Adam" : "SGD with momentum"}`);
  contestants.forEach(({ name, stop }, i) => {
    const [least, most] = [Math.min(...speeds[i]!), Math.max(...speeds[i]!)];
    const range = `${least.toFixed(1)} to ${most.toFixed(1)}`;
    console.log(`  ${name.padEnd(28)} ${median(speeds[i]!).toFixed(1)} steps/s (${range})`);
    stop();
  });
  if (theirs === null) {
    console.log(`  no PyTorch at ${python}: apt-get install python3-torch, or set PYTHON`);
    continue;
  }
  const ratio = median(speeds[0]!.map((speed, round) => speed / speeds[1]![round]!));
  console.log(`  ratio ${ratio.toFixed(2)} (median over rounds)`);
  if (ratio < leastRatio) {
    console.error(`  below ${leastRatio}`);
    process.exitCode = 1;
  }
}
