import type { FloatArray } from "../tensor/dtype.ts";
import type { TrainingProgress } from "./runOptions.ts";

export interface StopwatchOptions {
  readonly epochs: number;
  /** In an epoch. */
  readonly steps: number;
  /** The epoch before the first that will run. */
  readonly first: number;
  readonly onProgress?: (progress: TrainingProgress) => void;
}

export interface Stopwatch {
  /** To be told that an epoch's steps begin: only steps are timed, not evaluations or what the caller does in between. */
  start(): void;
  /** To be told of every step. Reports, and lets the event loop turn, about ten times a second. */
  step(epoch: number, step: number, losses: FloatArray): Promise<void>;
  /** Lets the event loop turn if it has not for a tenth of a second: signals and timers get through. */
  breathe(): Promise<void>;
}

export function stopwatch({ epochs, steps, first, onProgress }: StopwatchOptions): Stopwatch {
  const intervalMs = 100;
  let last = performance.now();
  let begun = last;
  let busyMs = 0;
  let done = 0;
  const breathe = async (): Promise<void> => {
    if (performance.now() - last < intervalMs) return;
    await new Promise((resolve) => {
      setTimeout(resolve);
    });
    last = performance.now();
  };
  return {
    breathe,
    start() {
      begun = performance.now();
    },
    async step(epoch, step, losses) {
      done++;
      const now = performance.now();
      if (now - last < intervalMs && step < steps) return;
      busyMs += now - begun;
      begun = now;
      const stepsPerSecond = (1000 * done) / Math.max(busyMs, 1e-3);
      const left = (epochs - first) * steps - done;
      const remainingMs = (1000 * left) / stepsPerSecond;
      const loss = meanOfFinite(losses);
      onProgress?.({ epoch, epochs, step, steps, loss, stepsPerSecond, remainingMs });
      await breathe();
    },
  };
}

function meanOfFinite(values: FloatArray): number {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    sum += value;
    count++;
  }
  return sum / count;
}
