import { describe, expect, test } from "vitest";
import { isWeightGraphError, type ErrorCode } from "../../src/errors.ts";
import { programBuilder, type Scope, type Tensor } from "../../src/train/ir.ts";
import { conv2d } from "../../src/train/ops/conv2d.ts";
import { dense } from "../../src/train/ops/dense.ts";
import { maxPool2d } from "../../src/train/ops/maxPool2d.ts";
import { reshape } from "../../src/train/ops/reshape.ts";
import { sgdUpdateOperation } from "../../src/train/ops/sgdUpdate.ts";
import { tanh } from "../../src/train/ops/tanh.ts";
import { operations } from "../../src/train/ops/operations.ts";
import { operationCases } from "./operationCases.ts";

const throwing = (code: ErrorCode): unknown =>
  expect.toSatisfy((error) => isWeightGraphError(error, code));

describe("a program", () => {
  test("gives a view the buffer of what it views, anything else its own", () => {
    const program = programBuilder();
    program.procedure("p", (scope) => {
      const x = scope.input("x", [1, 2, 6]);
      const view = reshape(scope, x, [1, 2, 3, 2]);
      const y = tanh(scope, view);
      expect(view.storage).toBe(x.id);
      expect(y.storage).toBe(y.id);
      return { y };
    });
  });

  test("keeps names of states and procedures apart", () => {
    const program = programBuilder();
    program.state("w", [1]);
    expect(() => program.state("w", [2])).toThrow(throwing("ENGINE_GRAPH"));
    program.procedure("step", () => ({}));
    expect(() => program.procedure("step", () => ({}))).toThrow(throwing("ENGINE_GRAPH"));
  });

  test("lets nobody read a state's old handle after its update", () => {
    updating(({ scope, weight, updated }) => {
      const x = scope.input("x", [1, 5, 3]);
      expect(() => dense(scope, x, weight)).toThrow(throwing("ENGINE_GRAPH"));
      expect(dense(scope, x, updated).shape).toEqual([1, 5, 2]);
    });
  });

  test("overwrites states only", () => {
    updating(({ scope, updated, settings }) => {
      const computed = tanh(scope, updated);
      const update = (): unknown =>
        scope.apply(sgdUpdateOperation, [computed, updated, updated, settings]);
      expect(update).toThrow(throwing("ENGINE_GRAPH"));
    });
  });
});

describe("shapes that do not fit are refused", () => {
  const window = { stride: [1, 1], padding: [0, 0] };
  test.each<{ name: string; write: (scope: Scope) => unknown }>([
    {
      name: "dense of other width",
      write: (s) => dense(s, s.input("x", [1, 5, 3]), s.input("w", [1, 2, 4])),
    },
    {
      name: "dense of two members on three",
      write: (s) => dense(s, s.input("x", [2, 5, 3]), s.input("w", [3, 2, 3])),
    },
    {
      name: "conv2d of other channels",
      write: (s) => conv2d(s, s.input("x", [1, 2, 3, 7, 7]), s.input("w", [1, 4, 2, 3, 3]), window),
    },
    {
      name: "conv2d wider than its image",
      write: (s) => conv2d(s, s.input("x", [1, 2, 3, 2, 7]), s.input("w", [1, 4, 3, 3, 3]), window),
    },
    {
      name: "maxPool2d with a stride of 0",
      write: (s) =>
        maxPool2d(s, s.input("x", [1, 2, 3, 7, 7]), { ...window, size: [2, 2], stride: [0, 1] }),
    },
    {
      name: "maxPool2d whose padding could win",
      write: (s) =>
        maxPool2d(s, s.input("x", [1, 2, 3, 7, 7]), { ...window, size: [2, 2], padding: [2, 2] }),
    },
    { name: "reshape to more", write: (s) => reshape(s, s.input("x", [1, 6]), [1, 7]) },
  ])("$name", ({ write }) => {
    const build = (): unknown =>
      programBuilder().procedure("p", (scope) => {
        write(scope);
        return {};
      });
    expect(build).toThrow(throwing("SHAPE_MISMATCH"));
  });
});

test("every registered operation has a case for one member and for three", () => {
  const covered = new Set(
    operationCases.map(({ name, operation }) => `${name.slice(0, 3)} ${operation.name}`),
  );
  for (const { name } of operations.all()) {
    expect(covered).toContain(`P=1 ${name}`);
    expect(covered).toContain(`P=3 ${name}`);
  }
});

test("a part that nobody registered is a usage error", () => {
  expect(() => operations.get("fft")).toThrow(throwing("USAGE_UNKNOWN_PART"));
  expect(() => operations.add(operations.get("relu"))).toThrow(throwing("USAGE_INVALID_OPTION"));
});

/** A procedure in which the weight [1, 2, 3] has just been updated. */
function updating(
  body: (given: { scope: Scope; weight: Tensor; updated: Tensor; settings: Tensor }) => void,
): void {
  const program = programBuilder();
  const weight = program.state("w", [1, 2, 3]);
  const velocity = program.state("w/velocity", [1, 2, 3]);
  program.procedure("step", (scope) => {
    const settings = scope.input("settings", [1, 5]);
    const gradient = scope.input("gradient", [1, 2, 3]);
    const [updated] = scope.apply(sgdUpdateOperation, [weight, gradient, velocity, settings]);
    body({ scope, weight, updated: updated!, settings });
    return {};
  });
}
