/** One suite for all engines: every operation agrees with its definition in float64, on every case. */
import { describe, expect, test } from "vitest";
import { elementCount } from "../../src/tensor/shape.ts";
import { programBuilder, type Buffer } from "../../src/train/ir.ts";
import { engines } from "./engines.ts";
import { operationCases, type OperationCase } from "./operationCases.ts";

describe.each(engines)("$name", ({ engine, tolerance }) => {
  test.each(operationCases)("$name", async (given) => {
    const got = await runAlone(given, engine());
    const wanted = defined(given);
    got.forEach((output, i) => {
      expect(output.length).toBe(wanted[i]!.length);
      const scale = wanted[i]!.reduce(
        (most: number, each: number) => Math.max(most, Math.abs(each)),
        1e-3,
      );
      output.forEach((value: number, at: number) => {
        expect(Math.abs(value - wanted[i]![at]!)).toBeLessThanOrEqual(tolerance * scale);
      });
    });
  });
});

/** The operation's own definition, on float64. */
function defined({ operation, inputs, attributes, values }: OperationCase): Float64Array[] {
  const types = operation.infer(inputs, attributes);
  const given = values();
  const handle = (type: (typeof types)[number]) =>
    ({ ...type, id: 0, storage: 0, name: "", origin: "computed" }) as const;
  const outputs = types.map(({ shape }, i) => {
    const shared = operation.sharing?.[i] ?? null;
    return shared === null ? new Float64Array(elementCount(shape)).fill(NaN) : given[shared]!;
  });
  operation.evaluate(
    { operation, attributes, inputs: inputs.map(handle), outputs: types.map(handle) },
    given,
    outputs,
  );
  return outputs.map((output) => Float64Array.from(output));
}

/** A program of this one operation; twice, so that what the first run left behind is overwritten. */
async function runAlone(
  { operation, inputs, attributes, values }: OperationCase,
  engine: ReturnType<(typeof engines)[number]["engine"]>,
): Promise<Buffer[]> {
  const program = programBuilder();
  const states = inputs.map((type, i) =>
    operation.inPlace === true ? program.state(`state ${i}`, type.shape) : null,
  );
  const { procedure, outputs } = program.procedure("alone", (scope) => {
    const given = inputs.map(
      ({ shape, kind }, i) => states[i] ?? scope.input(`input ${i}`, shape, kind),
    );
    const made = scope.apply(operation, given, attributes);
    return Object.fromEntries([...given, ...made].map((tensor, i) => [i, tensor]));
  });
  const executable = await engine.compile(program.build());
  const handles = Object.values(outputs);
  for (const _ of [1, 2]) {
    values().forEach((each, i) => executable.write(handles[i]!, each));
    executable.run(procedure);
  }
  const got = await Promise.all(handles.slice(inputs.length).map((made) => executable.read(made)));
  executable.dispose();
  return got;
}
