/**
 * The WebAssembly module that measures blocks of weights: plain, and over a memory that threads share. No fused multiply-add and
 * no relaxed SIMD, so the same weights give the same bits on every machine.
 */
import { graphKernelsWasm } from "./generated/graphKernelsWasm.ts";
import { sharedGraphKernelsWasm } from "./generated/sharedGraphKernelsWasm.ts";

type Kernel<Parameters extends readonly number[], Result = void> = (...given: Parameters) => Result;

/** Exports of `assembly/peel.ts` and `assembly/members.ts`. Nodes are numbered from the start of the degrees, rows and columns from that of the weights. */
interface PeelKernels {
  readonly partSums: Kernel<
    [
      weights: number,
      rows: number,
      columns: number,
      rowSums: number,
      columnSums: number,
      kind: number,
    ]
  >;
  readonly takeRows: Kernel<
    [weights: number, columns: number, list: number, count: number, degrees: number, kind: number]
  >;
  /** weights, columns, list, count, alive, aliveCount, degrees, kind */
  readonly takeRowsAt: Kernel<readonly number[]>;
  /** weights, columns, columnList, columnCount, rowList, rowCount, degrees, margins, kind */
  readonly sumRowsAt: Kernel<readonly number[]>;
  /** weights, columns, mask, alive, aliveCount, degrees, margins, level, kind */
  readonly takeMasked: Kernel<readonly number[]>;
  /** weights, columns, list, count, alive, aliveCount, degrees, margins, level, kind */
  readonly takeColumns: Kernel<readonly number[]>;
  readonly rowMembers: Kernel<
    [weights: number, rows: number, columns: number, to: number, stride: number, kind: number]
  >;
  readonly columnMembers: Kernel<
    [weights: number, rows: number, columns: number, to: number, stride: number, kind: number]
  >;
  readonly sharedBits: Kernel<[a: number, b: number, stride: number], number>;
  /** degrees, margins, minima, first, last, level, found */
  readonly settle: Kernel<readonly number[], number>;
}

/** Every export of `assembly/graph.ts`. Numbers are byte addresses or counts, as the name says. */
export interface GraphKernels extends PeelKernels {
  readonly firstNotFinite: Kernel<[weights: number, count: number], number>;
  readonly scan: Kernel<[weights: number, count: number, to: number]>;
  readonly strengths: Kernel<
    [weights: number, rows: number, columns: number, rowSums: number, columnSums: number]
  >;
  readonly rowProducts: Kernel<
    [weights: number, rows: number, columns: number, u: number, y: number]
  >;
  readonly columnProducts: Kernel<
    [weights: number, rows: number, columns: number, x: number, v: number]
  >;
  readonly roughRowProducts: Kernel<
    [weights: number, rows: number, columns: number, u: number, y: number]
  >;
  readonly roughColumnProducts: Kernel<
    [weights: number, rows: number, columns: number, x: number, v: number]
  >;
  readonly absoluteProducts: Kernel<
    [weights: number, rows: number, columns: number, x: number, u: number, y: number, v: number]
  >;
  readonly addGram: Kernel<[panel: number, n: number, width: number, gram: number]>;
  readonly reduceTriangle: Kernel<
    [matrix: number, n: number, size: number, v: number, w: number, next: number, product: number]
  >;
  readonly rewireRow: Kernel<
    [row: number, columns: number, sums: number, shift: number, state: number, room: number]
  >;
}

export interface GraphKernelInstance {
  readonly kernels: GraphKernels;
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
}

const modules = new Map<string, WebAssembly.Module | null>();

/**
 * Kernels over a memory of `byteLength` bytes, shared between threads where this machine allows it; null where WebAssembly SIMD
 * is missing or that much memory cannot be had. Pages that nobody writes to take no room.
 */
export function graphKernels(byteLength: number): GraphKernelInstance | null {
  const pages = Math.ceil(byteLength / 65_536);
  if (pages > 65_536) return null;
  for (const shared of typeof SharedArrayBuffer === "undefined" ? [false] : [true, false]) {
    const module = compiled(shared ? sharedGraphKernelsWasm : graphKernelsWasm);
    if (module === null) continue;
    try {
      const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
      const { exports } = new WebAssembly.Instance(module, { env: { memory } });
      return { kernels: exports as unknown as GraphKernels, module, memory };
    } catch {
      // No such memory: the next kind may do.
    }
  }
  return null;
}

function compiled(base64: string): WebAssembly.Module | null {
  const known = modules.get(base64);
  if (known !== undefined) return known;
  let module: WebAssembly.Module | null = null;
  try {
    module = new WebAssembly.Module(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
  } catch {
    // No WebAssembly, no SIMD or no threads here.
  }
  modules.set(base64, module);
  return module;
}
