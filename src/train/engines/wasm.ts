/**
 * Float32 on WebAssembly SIMD kernels: the engine to train with. A program is planned as a whole (order of data, fusion, memory
 * by lifetime) before any memory is taken; a run is then a list of calls with addresses. Sums run in a fixed order, so equal
 * inputs give equal bits everywhere.
 */
import { borrowKernels } from "../../kernels/load.ts";
import { EngineError, ShapeError } from "../../errors.ts";
import { elementCount } from "../../tensor/shape.ts";
import type { Buffer, Procedure, Program, Tensor } from "../ir.ts";
import type { Engine, Executable } from "./engine.ts";
import { fuse } from "./wasm/fuse.ts";
import { lower, view } from "./wasm/lowerings.ts";
import { lastingRegions, ProcedurePlan } from "./wasm/plan.ts";
import { placeByLifetime, placeInLine, type Region } from "./wasm/regions.ts";

/** Address 0 stays empty: to the kernels it means "none". */
const firstAddress = 64;

export function wasmEngine(): Engine {
  return { name: "wasm", precision: "float32", compile };
}

async function compile(program: Program): Promise<Executable> {
  const lasting = lastingRegions(program);
  const places = new Map<number, Region>();
  const plans = program.procedures.map((procedure): [Procedure, ProcedurePlan] => {
    const plan = new ProcedurePlan(lasting);
    for (const task of fuse(procedure)) lower(plan, task);
    for (const [id, region] of plan.finish(procedure)) places.set(id, region);
    return [procedure, plan];
  });

  const tables = [...lasting.tables.values()];
  const regions = [...lasting.tensors.values(), ...tables.map(({ region }) => region)];
  const scratchStart = placeInLine(regions, firstAddress);
  const ends = plans.map(([, plan]) => placeByLifetime(plan.scratchRegions, scratchStart));
  const { kernels, buffer, release } = await borrowKernels(Math.max(scratchStart, ...ends));

  for (const { region, content } of tables) {
    new Int32Array(buffer, region.address, content.length).set(content);
  }
  const bound = new Map(
    plans.map(([procedure, { steps }]) => [
      procedure,
      steps.map((step) => step({ kernels, buffer })),
    ]),
  );
  let isDisposed = false;
  const bufferOf = (tensor: Tensor): Buffer => {
    const region = lasting.tensors.get(tensor.storage) ?? places.get(tensor.id);
    return view(buffer, known(isDisposed ? undefined : region, tensor.name), tensor);
  };
  return {
    write(tensor, values) {
      if (values.length !== elementCount(tensor.shape)) {
        throw new ShapeError(
          "SHAPE_MISMATCH",
          `${tensor.name} [${tensor.shape.join(", ")}] cannot hold ${values.length} values`,
        );
      }
      bufferOf(tensor).set(values);
    },
    run(procedure) {
      for (const step of known(bound.get(procedure), procedure.name)) step();
    },
    read: async (tensor) => bufferOf(tensor).slice(),
    dispose() {
      isDisposed = true;
      bound.clear();
      release();
    },
  };
}

/** @throws {EngineError} `ENGINE_GRAPH` for what the program does not hold, or holds no more. */
function known<T>(found: T | undefined, name: string): T {
  if (found !== undefined) return found;
  throw new EngineError("ENGINE_GRAPH", `${name} is no state, input, output or procedure here`, {
    hint: "Only outputs of a procedure can be read, and nothing once the executable is disposed of.",
  });
}
