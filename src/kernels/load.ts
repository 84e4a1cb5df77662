/**
 * The WebAssembly module of SIMD kernels: compiled once, instantiated over a memory per user. Kernels take byte addresses in
 * that memory; what each computes is said in `assembly/`. No fused multiply-add and no relaxed SIMD, so the same input gives the
 * same bits on every machine.
 */
import { EngineError } from "../errors.ts";
import { kernelsWasm } from "./generated/kernelsWasm.ts";

/** Every export of `assembly/index.ts`. Numbers are byte addresses, byte lengths or counts, as the name says. */
export interface Kernels {
  readonly add: Binary;
  readonly multiply: Binary;
  readonly relu: Unary;
  readonly tanh: Unary;
  readonly reluGradient: Binary;
  readonly tanhGradient: Binary;
  readonly fill: Kernel<[to: number, value: number, count: number]>;
  readonly addBias: Kernel<
    [y: number, x: number, bias: number, rows: number, rowCount: number, floor: number]
  >;
  readonly sumRows: Kernel<[g: number, dy: number, rows: number, rowCount: number]>;
  readonly toLanes: Kernel<[to: number, from: number, batch: number, features: number]>;
  readonly fromLanes: Kernel<[to: number, from: number, batch: number, features: number]>;
  readonly clearPadding: Kernel<[to: number, batch: number, features: number]>;
  readonly padPlanes: Kernel<
    [
      to: number,
      from: number,
      planes: number,
      height: number,
      width: number,
      padHeight: number,
      padWidth: number,
      top: number,
      left: number,
    ]
  >;
  readonly packTiles: Kernel<
    [
      to: number,
      from: number,
      rows: number,
      outer: number,
      inner: number,
      rowStride: number,
      outerStride: number,
      innerStride: number,
    ]
  >;
  readonly contract: Kernel<
    [
      y: number,
      x: number,
      w: number,
      bias: number,
      positions: number,
      positionCount: number,
      taps: number,
      rows: number,
      rowBytes: number,
      tileBytes: number,
      floor: number,
    ]
  >;
  readonly correlate: Kernel<
    [
      g: number,
      dy: number,
      x: number,
      taps: number,
      tapCount: number,
      rows: number,
      rowBytes: number,
      outerCount: number,
      dyOuterBytes: number,
      xOuterBytes: number,
      innerCount: number,
      dyInnerBytes: number,
      xInnerBytes: number,
      runBytes: number,
    ]
  >;
  readonly maxPool: Kernel<
    [
      y: number,
      index: number,
      x: number,
      planes: number,
      height: number,
      width: number,
      outHeight: number,
      outWidth: number,
      kernelHeight: number,
      kernelWidth: number,
      strideY: number,
      strideX: number,
      padY: number,
      padX: number,
    ]
  >;
  readonly maxPoolGradient: Kernel<
    [dx: number, dy: number, index: number, planes: number, planeSize: number, places: number]
  >;
  readonly softmaxCrossEntropy: Kernel<
    [probabilities: number, logits: number, labels: number, classes: number, batch: number],
    number
  >;
  readonly softmaxCrossEntropyGradient: Kernel<
    [
      dx: number,
      probabilities: number,
      labels: number,
      classes: number,
      batch: number,
      factor: number,
    ]
  >;
  readonly sgdUpdate: Kernel<
    [parameter: number, gradient: number, velocity: number, settings: number, count: number]
  >;
  readonly adamUpdate: Kernel<
    [
      parameter: number,
      gradient: number,
      mean: number,
      square: number,
      settings: number,
      count: number,
    ]
  >;
}

type Kernel<Parameters extends readonly number[], Result = void> = (...given: Parameters) => Result;
type Unary = Kernel<[to: number, from: number, count: number]>;
type Binary = Kernel<[to: number, a: number, b: number, count: number]>;

/** A memory with the kernels that work on it. */
export interface KernelMemory {
  readonly kernels: Kernels;
  /** As long as was asked for, or longer. Lives as long as the loan: nothing grows it meanwhile. */
  readonly buffer: ArrayBuffer;
  /** Gives the memory back for the next user; nobody may touch it, or the kernels, afterwards. */
  readonly release: () => void;
}

const pageBytes = 65_536;
const maximumPages = 65_536;
/** Idle memories of up to this size are kept for the next run: as many as are listed, since a collector is slow to free them. */
const idleLimit = 4;
const idleBytes = 2 ** 28;

interface Instance {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
}
const idle: Instance[] = [];
let compiled: Promise<WebAssembly.Module> | undefined;

/**
 * Lends a zeroed memory of at least `byteLength` bytes. Growing detaches the views on it, which is why the size is asked for
 * at once and never changes during the loan.
 * @throws {EngineError} `ENGINE_UNSUPPORTED` if the machine has no WebAssembly SIMD or not that much memory.
 */
export async function borrowKernels(byteLength: number): Promise<KernelMemory> {
  const pages = Math.ceil(byteLength / pageBytes);
  if (pages > maximumPages) throw outOfMemory(byteLength);
  const instance = takeIdle(byteLength) ?? (await instantiate());
  const { kernels, memory } = instance;
  const present = memory.buffer.byteLength / pageBytes;
  try {
    if (present < pages) memory.grow(pages - present);
  } catch (cause) {
    throw outOfMemory(byteLength, cause);
  }
  new Uint8Array(memory.buffer, 0, byteLength).fill(0);
  let lent = true;
  return {
    kernels,
    buffer: memory.buffer,
    release() {
      const keep = idle.length < idleLimit && memory.buffer.byteLength <= idleBytes;
      if (lent && keep) idle.push(instance);
      lent = false;
    },
  };
}

/** The smallest idle memory that suffices, or else the largest. */
function takeIdle(byteLength: number): Instance | undefined {
  idle.sort((a, b) => a.memory.buffer.byteLength - b.memory.buffer.byteLength);
  const enough = idle.findIndex(({ memory }) => memory.buffer.byteLength >= byteLength);
  return enough < 0 ? idle.pop() : idle.splice(enough, 1)[0];
}

async function instantiate(): Promise<Instance> {
  try {
    compiled ??= WebAssembly.compile(Uint8Array.from(atob(kernelsWasm), (c) => c.charCodeAt(0)));
    const memory = new WebAssembly.Memory({ initial: 1 });
    const { exports } = await WebAssembly.instantiate(await compiled, { env: { memory } });
    return { kernels: exports as unknown as Kernels, memory };
  } catch (cause) {
    compiled = undefined;
    throw new EngineError("ENGINE_UNSUPPORTED", "WebAssembly with SIMD does not start here", {
      hint: "train with the reference engine instead",
      cause,
    });
  }
}

function outOfMemory(byteLength: number, cause?: unknown): EngineError {
  const megabytes = Math.ceil(byteLength / 1e6);
  return new EngineError("ENGINE_UNSUPPORTED", `no ${megabytes} MB of memory can be had`, {
    hint: "use a smaller batch or a smaller population",
    cause,
  });
}
