/**
 * What runs programs. An engine knows operations, not models: it is handed the whole program once, lays out every buffer, and
 * then only runs it. A step copies a batch in, runs, and reads the loss out.
 */
import type { FloatArray } from "../../tensor/dtype.ts";
import type { Buffer, Procedure, Program, Tensor } from "../ir.ts";

export interface Engine {
  readonly name: string;
  /** What `real` tensors are computed and kept in. */
  readonly precision: "float32" | "float64";
  /**
   * Plans memory, chooses kernels, fuses what it likes. States start at zero.
   * @throws {EngineError} `ENGINE_UNSUPPORTED` for an operation that it cannot run or memory that it cannot get.
   */
  compile(program: Program): Promise<Executable>;
}

/**
 * A compiled program. States keep their values from run to run and between procedures; inputs keep theirs until written
 * again; outputs are readable until the next `run` of any procedure; all else is scratch that the engine may share.
 */
export interface Executable {
  /**
   * Copies `values` into a state or an input of any procedure, rounding to the engine's precision.
   * @throws {ShapeError} `SHAPE_MISMATCH` unless there are as many as the tensor has elements.
   */
  write(tensor: Tensor, values: FloatArray | Int32Array): void;
  /** Runs a procedure, or, on a device, puts it in the queue. */
  run(procedure: Procedure): void;
  /** A copy of a state or an output, once what was run before is done. */
  read(tensor: Tensor): Promise<Buffer>;
  /** Gives the memory back; the executable is of no use afterwards. */
  dispose(): void;
}
