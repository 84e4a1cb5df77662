/** The engines that the suites run through, and how far each may stray from float64. */
import type { Engine } from "../../src/train/engines/engine.ts";
import { referenceEngine } from "../../src/train/engines/reference.ts";

export interface EngineUnderTest {
  readonly name: string;
  readonly engine: () => Engine;
  /** Relative to the largest value of a tensor. */
  readonly tolerance: number;
}

export const engines: readonly EngineUnderTest[] = [
  { name: "reference", engine: referenceEngine, tolerance: 0 },
];
