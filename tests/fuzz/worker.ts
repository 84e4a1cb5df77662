/** A process that examines mutants one by one and says so before and after each, so that its parent knows which one killed it. */
import { examine, mutantOf } from "./examine.ts";
import { fuzzSeeds } from "./seeds.ts";

export interface Work {
  readonly format: string;
  readonly seed: number;
  /** Numbers of the mutants, [from, to). */
  readonly from: number;
  readonly to: number;
}

export type Report =
  | { readonly kind: "started"; readonly index: number }
  | {
      readonly kind: "done";
      readonly index: number;
      readonly seedName: string;
      /** `model`, the code of the refusal, or null for a finding. */
      readonly outcome: string | null;
      /** What escaped. */
      readonly fault: string | null;
      readonly ms: number;
      /** The most that this process has held so far. */
      readonly peakMegabytes: number;
    };

const report = (message: Report): void => void process.send?.(message);

process.on("message", (work: Work) => {
  runWork(work).then(
    () => process.disconnect(),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

async function runWork({ format, seed, from, to }: Work): Promise<void> {
  const seeds = (await fuzzSeeds())[format] ?? [];
  for (let index = from; index < to; index++) {
    report({ kind: "started", index });
    const { seedName, source } = await mutantOf(seeds, { format, seed, index });
    const start = performance.now();
    const verdict = await examine(source);
    const ms = performance.now() - start;
    // Lets a rejection that nobody waits for come out while its mutant is known.
    await new Promise((resolve) => setImmediate(resolve));
    const outcome =
      verdict.kind === "model" ? "model" : verdict.kind === "refused" ? verdict.code : null;
    const fault = verdict.kind === "escaped" ? faultText(verdict.error) : null;
    const peakMegabytes = process.resourceUsage().maxRSS / 1024;
    report({ kind: "done", index, seedName, outcome, fault, ms, peakMegabytes });
  }
}

function faultText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const below = cause instanceof Error ? `\n  caused by ${cause.stack ?? cause.message}` : "";
  return `${error.stack ?? error.message}${below}`;
}
