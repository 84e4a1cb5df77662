/** Contestants in processes of their own, asked in turn, so that a busy machine slows them all. */
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { CaseFile } from "./cases.ts";

export interface Result {
  readonly network: string;
  readonly weights: string;
  readonly edges: number;
  readonly measure: string;
  readonly tool: string;
  /** One per round; empty where it failed. */
  readonly seconds: readonly number[];
  readonly peakMb: number | null;
  readonly failure?: string;
  readonly residual?: number;
}

interface Answer {
  readonly seconds?: number;
  readonly peakMb?: number;
  readonly failure?: string;
  readonly residual?: number;
}

interface Contestant {
  readonly tool: string;
  ask(measure: string): Promise<Answer>;
  stop(): void;
}

export interface RaceLimits {
  readonly rounds: number;
  /** For one answer, loading included. */
  readonly limitMs: number;
}

const python = process.env["PYTHON"] ?? "/usr/bin/python3";
const peers = fileURLToPath(new URL("../peers/graphPeers.py", import.meta.url));
const own = fileURLToPath(new URL("contestant.ts", import.meta.url));
const ofNode = new Set(["weightgraph", "graphology", "ngraph"]);
const environment = {
  OMP_NUM_THREADS: "1",
  OPENBLAS_NUM_THREADS: "1",
  MKL_NUM_THREADS: "1",
  // Large arrays in huge pages where Linux gives them on request alone: numpy asks by itself, Node has to be told.
  GLIBC_TUNABLES: "glibc.malloc.hugetlb=1",
};

function launch(tool: string, casePath: string): ChildProcess {
  const [program, argv] = ofNode.has(tool)
    ? [process.execPath, ["--max-old-space-size=8000", "--import", "tsx", own, tool, casePath]]
    : [python, [peers, tool, casePath]];
  return spawn(program, argv, {
    stdio: ["pipe", "pipe", "ignore"],
    env: { ...process.env, ...environment },
  });
}

/** Loads when it is first asked. After an answer that took too long it is started afresh. */
function contestant(tool: string, casePath: string, limitMs: number): Contestant {
  let child: ChildProcess | null = null;
  let lines: AsyncIterator<string> | null = null;
  let broken: string | null = null;
  const stop = (): void => {
    child?.kill("SIGKILL");
    child = null;
  };
  const next = async (): Promise<Answer> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Answer>((resolve) => {
      timer = setTimeout(() => {
        stop();
        resolve({ failure: `over ${limitMs / 1000} s` });
      }, limitMs);
    });
    const answer = lines!.next().then(({ done, value }): Answer => {
      if (done === true) return { failure: "killed, most likely for its memory" };
      return JSON.parse(value) as Answer;
    });
    const first = await Promise.race([answer, late]);
    clearTimeout(timer);
    return first;
  };
  return {
    tool,
    async ask(measure) {
      if (broken !== null) return { failure: broken };
      if (child === null) {
        child = launch(tool, casePath);
        child.on("error", () => {});
        child.stdin!.on("error", () => {});
        lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
        const { failure } = await next();
        if (failure !== undefined) {
          broken = `building the graph: ${failure}`;
          stop();
          return { failure: broken };
        }
      }
      child.stdin!.write(`${measure}\n`);
      return next();
    },
    stop,
  };
}

/** What takes less time in all gets more rounds, up to twice as many. */
const shortSeconds = 1;
/** Once a tool has taken that long over a measure, what it has answered must do. */
const slowSeconds = 8;
/** Answers, of a quarter of a second each, and seconds before the first that counts: compilers and caches are warm then. */
const warming = { most: 3, seconds: 0.5 };

async function warmUp(contestant: Contestant, measure: string): Promise<Answer> {
  let last: Answer = {};
  for (let asked = 0, spent = 0; asked < warming.most && spent < warming.seconds; asked++) {
    last = await contestant.ask(measure);
    if (last.failure !== undefined) break;
    spent += last.seconds ?? 0;
  }
  return last;
}

/** Every tool on every measure of a case, round by round; who fails is not asked again. */
export async function race(
  given: CaseFile & { readonly path: string },
  entries: Readonly<Record<string, readonly string[]>>,
  { rounds, limitMs }: RaceLimits,
  onResult: (result: Result) => void,
): Promise<void> {
  const tools = new Set(Object.values(entries).flat());
  const contestants = new Map(
    Array.from(tools, (tool) => [tool, contestant(tool, given.path, limitMs)]),
  );
  const { name: network, weights, edges } = given;
  for (const [measure, names] of Object.entries(entries)) {
    const running = names.map((tool) => ({
      contestant: contestants.get(tool)!,
      seconds: [] as number[],
      last: {} as Answer,
    }));
    for (const state of running) {
      state.last = await warmUp(state.contestant, measure);
      const { seconds = 0 } = state.last;
      if (seconds > slowSeconds) state.seconds.push(seconds);
    }
    for (let round = 0; round < 2 * rounds; round++) {
      for (const state of running) {
        const spent = state.seconds.reduce((a, b) => a + b, 0);
        const isDone = spent > (round >= rounds ? shortSeconds : slowSeconds);
        if (state.last.failure !== undefined || isDone) continue;
        state.last = await state.contestant.ask(measure);
        if (state.last.seconds !== undefined) state.seconds.push(state.last.seconds);
      }
    }
    for (const { contestant, seconds, last } of running) {
      const { peakMb = null, failure, residual } = last;
      onResult({
        network,
        weights,
        edges,
        measure,
        tool: contestant.tool,
        seconds: failure === undefined ? seconds : [],
        peakMb,
        ...(failure !== undefined && { failure }),
        ...(residual !== undefined && { residual }),
      });
    }
  }
  for (const each of contestants.values()) each.stop();
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** How many times as long `other` took, the median over rounds; null if either has no time. */
export function ratioOf(own: Result | undefined, other: Result | undefined): number | null {
  if (own === undefined || other === undefined) return null;
  const rounds = Math.min(own.seconds.length, other.seconds.length);
  if (rounds === 0) return null;
  return median(own.seconds.slice(0, rounds).map((seconds, i) => other.seconds[i]! / seconds));
}
