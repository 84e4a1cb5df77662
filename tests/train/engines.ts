/** The engines that the suites run through, and how far each may stray from float64. */
import type { Engine } from "../../src/train/engines/engine.ts";
import { referenceEngine } from "../../src/train/engines/reference.ts";
import { wasmEngine } from "../../src/train/engines/wasm.ts";

export interface EngineUnderTest {
  readonly name: string;
  readonly engine: () => Engine;
  /** Relative to the largest value of a tensor. */
  readonly tolerance: number;
}

export const engines: readonly EngineUnderTest[] = [
  { name: "reference", engine: referenceEngine, tolerance: 0 },
  { name: "wasm", engine: wasmEngine, tolerance: 2e-6 },
];
