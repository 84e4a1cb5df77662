import { describe, expect, test } from "vitest";
import { isWeightGraphError } from "../../src/errors.ts";
import { createRandom } from "../../src/random.ts";
import { elementCount } from "../../src/tensor/shape.ts";
import { gradients } from "../../src/train/autodiff.ts";
import { referenceEngine } from "../../src/train/engines/reference.ts";
import { programBuilder, type Buffer, type Tensor } from "../../src/train/ir.ts";
import { add } from "../../src/train/ops/add.ts";
import { countCorrect } from "../../src/train/ops/countCorrect.ts";
import { dense } from "../../src/train/ops/dense.ts";
import { multiply } from "../../src/train/ops/multiply.ts";
import { tanh } from "../../src/train/ops/tanh.ts";
import { operationCases, type OperationCase } from "./operationCases.ts";

const differentiable = operationCases.filter(({ operation, inputs }) => {
  return operation.gradient !== undefined && inputs.length > 0;
});

/**
 * Oracle: central differences of Σ output · weighting, in float64 with step 1e-6: error near 1e-10, so 1e-6 relative is
 * strict. Kinks (relu, max-pool) lie farther than the step from these values; the case with ties is left out.
 */
describe("a gradient agrees with central differences", () => {
  test.each(differentiable.filter(({ hasTies }) => !hasTies))("$name", async (given) => {
    const values = given.values();
    const { seen, loss } = await differentiate(given, values);
    const step = 1e-6;
    for (const [input, gradient] of seen.entries()) {
      if (gradient === null) continue;
      // Every element of small tensors, some sixty of large ones, in a stride that meets every axis.
      for (let i = 0; i < gradient.length; i += Math.max(1, Math.floor(gradient.length / 61))) {
        const kept = values[input]![i]!;
        values[input]![i] = kept + step;
        const above = await loss(values);
        values[input]![i] = kept - step;
        const below = await loss(values);
        values[input]![i] = kept;
        const expected = (above - below) / (2 * step);
        expect(Math.abs(gradient[i]! - expected)).toBeLessThan(1e-6 * (1 + Math.abs(expected)));
      }
    }
  });
});

describe("gradients", () => {
  const values = { x: [0.5, -1.25, 2], w: [0.3, -0.7, 0.2] };

  test("add up where a tensor is used more than once", async () => {
    // hand: d/dw Σ (x·w)² + x·w = (2 x·w + 1) x, with x·w = 1.425
    const program = programBuilder();
    const weight = program.state("w", [1, 1, 3]);
    const { procedure, outputs } = program.procedure("step", (scope) => {
      const y = dense(scope, scope.input("x", [1, 1, 3]), weight);
      const loss = add(scope, multiply(scope, y, y), y);
      return { gradient: gradients(scope, loss, [weight])[0]! };
    });
    const executable = await referenceEngine().compile(program.build());
    executable.write(weight, Float64Array.from(values.w));
    executable.write(procedure.inputs[0]!, Float64Array.from(values.x));
    executable.run(procedure);
    const got = await executable.read(outputs.gradient);
    values.x.forEach((x, i) => expect(got[i]).toBeCloseTo(3.85 * x, 12));
  });

  test("are zero for what the loss does not depend on", async () => {
    const program = programBuilder();
    const used = program.state("used", [2, 1, 3]);
    const idle = program.state("idle", [2, 4]);
    const { procedure, outputs } = program.procedure("step", (scope) => {
      const loss = dense(scope, scope.input("x", [1, 1, 3]), used);
      return { gradient: gradients(scope, loss, [idle])[0]! };
    });
    const executable = await referenceEngine().compile(program.build());
    executable.run(procedure);
    expect([...(await executable.read(outputs.gradient))]).toEqual(Array(8).fill(0));
  });

  test("compute nothing that was not asked for", () => {
    const program = programBuilder();
    const weight = program.state("w", [1, 2, 3]);
    const { procedure } = program.procedure("step", (scope) => {
      const y = tanh(scope, dense(scope, scope.input("x", [1, 5, 3]), weight));
      return { gradient: gradients(scope, y, [weight])[0]! };
    });
    const names = procedure.nodes.map(({ operation }) => operation.name);
    expect(names).toEqual(["dense", "tanh", "fill", "tanhInput", "denseWeight"]);
  });

  test("do not exist through an operation without one", () => {
    const program = programBuilder();
    const weight = program.state("w", [1, 2, 3]);
    const write = (): unknown =>
      program.procedure("step", (scope) => {
        const logits = dense(scope, scope.input("x", [1, 5, 3]), weight);
        const hits = countCorrect(scope, logits, scope.input("labels", [1, 5], "index"));
        return { gradient: gradients(scope, hits, [weight])[0]! };
      });
    expect(write).toThrow(expect.toSatisfy((e) => isWeightGraphError(e, "ENGINE_GRAPH")));
  });
});

/** Gradients of Σ output · weighting by every real input, and that sum as a function of the inputs. */
async function differentiate(
  { operation, inputs, attributes, real }: OperationCase,
  values: readonly Buffer[],
): Promise<{ seen: (Buffer | null)[]; loss: (values: readonly Buffer[]) => Promise<number> }> {
  const program = programBuilder();
  const weightingOf = (): Float64Array => {
    const random = createRandom(11);
    return Float64Array.from({ length: elementCount(output.shape) }, () => random.normal());
  };
  let output!: Tensor;
  let weighting!: Tensor;
  const { procedure, outputs } = program.procedure("step", (scope) => {
    const given = inputs.map(({ shape, kind }, i) => scope.input(`input ${i}`, shape, kind));
    output = scope.apply(operation, given, attributes)[0]!;
    weighting = scope.input("weighting", output.shape);
    const loss = multiply(scope, output, weighting);
    const targets = given.filter((_, i) => real[i]);
    const found = gradients(scope, loss, targets).map((g, i) => [targets[i]!.name, g]);
    return { ...Object.fromEntries(found), loss } as Record<string, Tensor>;
  });
  const executable = await referenceEngine().compile(program.build());
  executable.write(weighting, weightingOf());
  const run = (given: readonly Buffer[]): void => {
    given.forEach((each, i) => executable.write(procedure.inputs[i]!, each));
    executable.run(procedure);
  };
  run(values);
  const seen = await Promise.all(
    inputs.map(async (_, i) => {
      const gradient = outputs[`input ${i}`];
      return gradient === undefined ? null : executable.read(gradient);
    }),
  );
  return {
    seen,
    async loss(given) {
      run(given);
      return sumOf(await executable.read(outputs["loss"]!));
    },
  };
}

function sumOf(values: Buffer): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
