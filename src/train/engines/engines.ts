/** Every engine by name. A new one is a file and a line here. */
import { createRegistry, type Registry } from "../registry.ts";
import type { Engine } from "./engine.ts";
import { referenceEngine } from "./reference.ts";
import { wasmEngine } from "./wasm.ts";

/** A registered part: what runs programs. */
export interface EngineEntry {
  readonly name: string;
  readonly title: string;
  readonly create: () => Engine;
}

/** The first is the one to take when nobody chose. */
export const engines: Registry<EngineEntry> = createRegistry("engine", [
  { name: "wasm", title: "float32 on WebAssembly SIMD", create: wasmEngine },
  { name: "reference", title: "float64 in plain code, slow: the oracle", create: referenceEngine },
]);
