/**
 * The oracle: every operation as its file defines it, in float64, one after the other. Nothing clever, so that the other
 * engines have something to agree with.
 */
import { ShapeError } from "../../errors.ts";
import { elementCount } from "../../tensor/shape.ts";
import type { Buffer, Procedure, Program, Tensor } from "../ir.ts";
import type { Engine, Executable } from "./engine.ts";

export function referenceEngine(): Engine {
  return {
    name: "reference",
    precision: "float64",
    compile: async (program) => compile(program),
  };
}

function compile({ states, procedures }: Program): Executable {
  const buffers = new Map<number, Buffer>();
  const allocate = ({ storage, shape, kind }: Tensor): void => {
    if (buffers.has(storage)) return;
    const size = elementCount(shape);
    buffers.set(storage, kind === "index" ? new Int32Array(size) : new Float64Array(size));
  };
  states.forEach(allocate);
  for (const { inputs, nodes } of procedures) {
    inputs.forEach(allocate);
    for (const { outputs } of nodes) outputs.forEach(allocate);
  }
  const bufferOf = ({ storage }: Tensor): Buffer => buffers.get(storage)!;
  const plans = new Map(
    procedures.map((procedure): [Procedure, (() => void)[]] => [
      procedure,
      procedure.nodes.map((node) => {
        const inputs = node.inputs.map(bufferOf);
        const outputs = node.outputs.map(bufferOf);
        return () => node.operation.evaluate(node, inputs, outputs);
      }),
    ]),
  );
  return {
    write(tensor, values) {
      const buffer = bufferOf(tensor);
      if (buffer.length !== values.length) {
        throw new ShapeError(
          "SHAPE_MISMATCH",
          `${tensor.name} [${tensor.shape.join(", ")}] cannot hold ${values.length} values`,
        );
      }
      buffer.set(values);
    },
    run(procedure) {
      for (const step of plans.get(procedure)!) step();
    },
    read: async (tensor) => bufferOf(tensor).slice(),
    dispose() {
      buffers.clear();
      plans.clear();
    },
  };
}
