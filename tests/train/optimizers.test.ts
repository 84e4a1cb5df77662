import { describe, expect, test } from "vitest";
import { isWeightGraphError } from "../../src/errors.ts";
import { programBuilder } from "../../src/train/ir.ts";
import { completeOptions } from "../../src/train/optimizers/optimizer.ts";
import { optimizers } from "../../src/train/optimizers/optimizers.ts";
import { engines } from "./engines.ts";

const slopes = [0.5, -0.1, 0.3, -0.2];

interface Row {
  readonly name: string;
  readonly optimizer: string;
  readonly options: Readonly<Record<string, number>>;
  /** The parameter after all slopes, from 1. */
  readonly oracle: () => number;
}

const rows: readonly Row[] = [
  {
    name: "sgd: hand, 1 - 0.1 (0.5 - 0.1 + 0.3 - 0.2)",
    optimizer: "sgd",
    options: { learningRate: 0.1 },
    oracle: () => 0.95,
  },
  {
    name: "sgd with momentum: hand, velocities 0.5, 0.35, 0.615, 0.3535",
    optimizer: "sgd",
    options: { learningRate: 0.1, momentum: 0.9 },
    oracle: () => 1 - 0.1 * (0.5 + 0.35 + 0.615 + 0.3535),
  },
  {
    name: "sgd with dampening, which spares the first step: hand, velocities 0.5, 0.38, 0.552, 0.3568",
    optimizer: "sgd",
    options: { learningRate: 0.1, momentum: 0.9, dampening: 0.3 },
    oracle: () => 1 - 0.1 * (0.5 + 0.38 + 0.552 + 0.3568),
  },
  {
    name: "sgd with nesterov and decay: oracle, torch.optim.SGD as documented",
    optimizer: "sgd",
    options: { learningRate: 0.1, momentum: 0.8, nesterov: 1, weightDecay: 0.05 },
    oracle() {
      let [parameter, velocity] = [1, 0];
      for (const slope of slopes) {
        const descent = slope + 0.05 * parameter;
        velocity = 0.8 * velocity + descent;
        parameter -= 0.1 * (descent + 0.8 * velocity);
      }
      return parameter;
    },
  },
  {
    name: "adam: oracle, the paper's algorithm 1 with epsilon beside the root, and decay",
    optimizer: "adam",
    options: { learningRate: 0.05, beta1: 0.8, beta2: 0.95, epsilon: 1e-3, weightDecay: 0.1 },
    oracle() {
      let [parameter, mean, square] = [1, 0, 0];
      for (const [i, slope] of slopes.entries()) {
        const descent = slope + 0.1 * parameter;
        mean = 0.8 * mean + 0.2 * descent;
        square = 0.95 * square + 0.05 * descent ** 2;
        const corrected = mean / (1 - 0.8 ** (i + 1));
        parameter -= (0.05 * corrected) / (Math.sqrt(square / (1 - 0.95 ** (i + 1))) + 1e-3);
      }
      return parameter;
    },
  },
];

describe.each(engines)("on $name", ({ engine, tolerance }) => {
  test.each(rows)("$name", async ({ optimizer, options, oracle }) => {
    const registered = optimizers.get(optimizer);
    const { memories, columns } = registered;
    const program = programBuilder();
    const parameter = program.state("w", [1, 1]);
    const kept = memories.map((memory) => program.state(`w/${memory}`, [1, 1]));
    const { procedure, outputs } = program.procedure("step", (scope) => {
      const gradient = scope.input("gradient", [1, 1]);
      const settings = scope.input("settings", [1, columns]);
      registered.update(scope, { parameter, gradient, memories: kept, settings });
      return { gradient, settings };
    });
    const executable = await engine().compile(program.build());
    const row = new Float64Array(columns);
    const complete = completeOptions(registered, options);
    executable.write(parameter, Float64Array.of(1));
    for (const [i, slope] of slopes.entries()) {
      registered.fillSettings(row, complete, i + 1);
      executable.write(outputs.settings, row);
      executable.write(outputs.gradient, Float64Array.of(slope));
      executable.run(procedure);
    }
    const [after] = await executable.read(parameter);
    expect(Math.abs(after! - oracle())).toBeLessThanOrEqual(Math.max(tolerance, 1e-14));
  });
});

test("a wrong option is refused with those that there are", () => {
  const complete = (): unknown => completeOptions(optimizers.get("adam"), { momentum: 0.9 });
  expect(complete).toThrow(
    expect.toSatisfy((error) => {
      return isWeightGraphError(error, "USAGE_INVALID_OPTION") && error.hint!.includes("beta1");
    }),
  );
});
