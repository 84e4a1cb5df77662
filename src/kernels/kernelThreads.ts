/**
 * Threads that run kernels over one shared memory. Work is a list of calls; whoever is free takes the next, the calling thread
 * among them, so that nothing waits for a thread to start. Each call writes to places of its own, and the caller joins what they
 * wrote in the order of the list: the answer does not depend on how many threads there are.
 */
import type { GraphKernelInstance, GraphKernels } from "./graphKernels.ts";

export type KernelCall = readonly [kernel: keyof GraphKernels, ...parameters: number[]];

export interface KernelThreads {
  /** More than one if calls can run side by side. */
  readonly count: number;
  /** Runs all calls and returns when the last is done. */
  run(calls: readonly KernelCall[]): void;
}

/**
 * Layout of the control words, int32 at the beginning of the memory. `next` holds the number of the list in its upper half and
 * that of the call in its lower: who is late for a list cannot take a call of the following one by mistake.
 */
const words = { generation: 256, next: 257, count: 258, done: 259, calls: 320 };
/** Words of one call: the number of its kernel, how many parameters it has, the parameters. */
const callWords = 16;
const mostCalls = 512;

const names: readonly (keyof GraphKernels)[] = [
  "strengths",
  "absoluteProducts",
  "rowProducts",
  "columnProducts",
  "roughRowProducts",
  "roughColumnProducts",
];

/** `count` threads, the calling one included: one where the memory is not shared or no threads can be had. */
export function kernelThreads(instance: GraphKernelInstance, count: number): KernelThreads {
  const { kernels, memory, module } = instance;
  const alone: KernelThreads = {
    count: 1,
    run(calls) {
      for (const [name, ...parameters] of calls) invoke(kernels, name, parameters);
    },
  };
  const { buffer } = memory;
  const workers = nodeWorkers();
  const isShared = typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;
  if (count < 2 || !isShared || workers === null) return alone;
  const control = new Int32Array(buffer, 0, words.calls + callWords * mostCalls);
  let started = false;
  let list = 0;
  const start = (): void => {
    started = true;
    for (let i = 1; i < count; i++) {
      const workerData = { module, memory, words, callWords, names };
      new workers.Worker(workerSource, { eval: true, workerData, stdout: false }).unref();
    }
  };
  return {
    count,
    run(calls) {
      if (calls.length < 2 || calls.length > mostCalls) return alone.run(calls);
      if (!started) start();
      Atomics.store(control, words.count, 0);
      calls.forEach(([name, ...parameters], i) => {
        const at = words.calls + i * callWords;
        control[at] = names.indexOf(name);
        control[at + 1] = parameters.length;
        control.set(parameters, at + 2);
      });
      Atomics.store(control, words.done, 0);
      list = (list + 1) & 0x7fff;
      Atomics.store(control, words.next, list << 16);
      Atomics.store(control, words.count, calls.length);
      Atomics.add(control, words.generation, 1);
      Atomics.notify(control, words.generation);
      for (;;) {
        const ticket = Atomics.load(control, words.next);
        if ((ticket & 0xffff) >= calls.length) break;
        if (Atomics.compareExchange(control, words.next, ticket, ticket + 1) !== ticket) continue;
        const [name, ...parameters] = calls[ticket & 0xffff]!;
        invoke(kernels, name, parameters);
        Atomics.add(control, words.done, 1);
      }
      for (let done; (done = Atomics.load(control, words.done)) < calls.length;) {
        Atomics.wait(control, words.done, done);
      }
    },
  };
}

function invoke(kernels: GraphKernels, name: keyof GraphKernels, parameters: readonly number[]) {
  const kernel: (...given: number[]) => unknown = kernels[name];
  kernel(...parameters);
}

interface Workers {
  readonly Worker: new (source: string, options: object) => { unref(): void };
}

/** Node's worker threads; null in a browser, where the thread of the page may not wait. */
function nodeWorkers(): Workers | null {
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (name: string) => unknown };
  };
  return (process?.getBuiltinModule?.("node:worker_threads") as Workers | undefined) ?? null;
}

/** Runs in each thread. The count of a list is stored after its number: a call of a list that is being written cannot be taken. */
const workerSource = `
const { workerData } = require("node:worker_threads");
const { module, memory, words, callWords, names } = workerData;
const { exports: kernels } = new WebAssembly.Instance(module, { env: { memory } });
const control = new Int32Array(memory.buffer);
for (let seen = 0; ; ) {
  const generation = Atomics.load(control, words.generation);
  if (generation === seen) {
    Atomics.wait(control, words.generation, seen);
    continue;
  }
  seen = generation;
  for (;;) {
    const ticket = Atomics.load(control, words.next);
    if ((ticket & 0xffff) >= Atomics.load(control, words.count)) break;
    if (Atomics.compareExchange(control, words.next, ticket, ticket + 1) !== ticket) continue;
    const at = words.calls + (ticket & 0xffff) * callWords;
    const parameters = control.slice(at + 2, at + 2 + control[at + 1]);
    kernels[names[control[at]]](...Array.from(parameters, (value) => value >>> 0));
    Atomics.add(control, words.done, 1);
    Atomics.notify(control, words.done);
  }
}
`;
