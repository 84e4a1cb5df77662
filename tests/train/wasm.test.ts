/** What the wasm engine does beyond single operations: fusion, orders of data, memory, bytes. */
import { expect, test } from "vitest";
import { isWeightGraphError } from "../../src/errors.ts";
import { createRandom } from "../../src/random.ts";
import { elementCount } from "../../src/tensor/shape.ts";
import { gradients } from "../../src/train/autodiff.ts";
import { referenceEngine } from "../../src/train/engines/reference.ts";
import type { Engine } from "../../src/train/engines/engine.ts";
import { fuse } from "../../src/train/engines/wasm/fuse.ts";
import {
  newScratch,
  placeByLifetime,
  type ScratchRegion,
} from "../../src/train/engines/wasm/regions.ts";
import { wasmEngine } from "../../src/train/engines/wasm.ts";
import { programBuilder, type Scope, type Tensor } from "../../src/train/ir.ts";
import { add } from "../../src/train/ops/add.ts";
import { addBias, sumToBiasOperation } from "../../src/train/ops/addBias.ts";
import { conv2d } from "../../src/train/ops/conv2d.ts";
import { dense, denseWeightOperation } from "../../src/train/ops/dense.ts";
import { maxPool2d } from "../../src/train/ops/maxPool2d.ts";
import { multiply } from "../../src/train/ops/multiply.ts";
import { relu } from "../../src/train/ops/relu.ts";
import { flatten, reshape } from "../../src/train/ops/reshape.ts";
import { softmaxCrossEntropy } from "../../src/train/ops/softmaxCrossEntropy.ts";
import { tanh } from "../../src/train/ops/tanh.ts";

/** Writes a procedure over states of the given shapes and returns what is to be compared. */
interface Sketch {
  readonly states: readonly (readonly number[])[];
  readonly write: (scope: Scope, states: readonly Tensor[]) => readonly Tensor[];
}

/** The procedure's outputs, from states drawn from seeds of their own. */
async function run({ states, write }: Sketch, engine: Engine): Promise<number[][]> {
  const builder = programBuilder();
  const held = states.map((shape, i) => builder.state(`state ${i}`, shape));
  const { procedure, outputs } = builder.procedure("only", (scope) =>
    Object.fromEntries(write(scope, held).map((tensor, i) => [i, tensor])),
  );
  const executable = await engine.compile(builder.build());
  held.forEach((tensor, i) => {
    const random = createRandom(i);
    const values = Float32Array.from({ length: elementCount(tensor.shape) }, () => random.normal());
    executable.write(tensor, values);
  });
  executable.run(procedure);
  executable.run(procedure);
  const read = Object.values(outputs).map((tensor) => executable.read(tensor));
  const got = (await Promise.all(read)).map((values) => [...values]);
  executable.dispose();
  return got;
}

async function expectAgreement(sketch: Sketch): Promise<void> {
  const got = await run(sketch, wasmEngine());
  const wanted = await run(sketch, referenceEngine());
  got.forEach((values, i) => {
    const scale = Math.max(...wanted[i]!.map(Math.abs));
    values.forEach((value, at) => {
      // a few layers of float32 sums against float64
      expect(Math.abs(value - wanted[i]![at]!)).toBeLessThanOrEqual(1e-5 * scale);
    });
  });
}

const window = { stride: [1, 1], padding: [1, 1] };
const halves = { size: [2, 2], stride: [2, 2], padding: [0, 0] };

/** A small convolutional network of `members` on a batch of `batch`: its loss and all gradients. */
function smallNetwork(members: number, batch: number): Sketch {
  const shapes = [[3, 2, 3, 3], [3], [5, 27], [5], [4, 5], [4]];
  return {
    states: [[1, batch, 2, 6, 7], ...shapes.map((shape) => [members, ...shape])],
    write(scope, [x, ...parameters]) {
      const [kernel, shift, w1, b1, w2, b2] = parameters as [
        Tensor,
        Tensor,
        Tensor,
        Tensor,
        Tensor,
        Tensor,
      ];
      const labels = scope.input("labels", [1, batch], "index");
      const convolved = relu(scope, addBias(scope, conv2d(scope, x!, kernel, window), shift));
      const pooled = flatten(scope, maxPool2d(scope, convolved, halves));
      const hidden = tanh(scope, addBias(scope, dense(scope, pooled, w1), b1));
      const loss = softmaxCrossEntropy(scope, addBias(scope, dense(scope, hidden, w2), b2), labels);
      return [loss, ...gradients(scope, loss, parameters)];
    },
  };
}

test.each([
  { members: 1, batch: 1 },
  { members: 1, batch: 8 },
  { members: 3, batch: 11 },
])("a network of $members on $batch images agrees with the reference", async (given) => {
  await expectAgreement(smallNetwork(given.members, given.batch));
});

test("what a step leaves beyond the batch reaches no sum over it", async () => {
  // the bias makes the three lanes beyond the batch non-zero
  await expectAgreement({
    states: [
      [1, 5, 6],
      [1, 4, 6],
      [1, 4],
    ],
    write(scope, [x, weight, bias]) {
      const y = addBias(scope, dense(scope, x!, weight!), bias!);
      const cubes = multiply(scope, multiply(scope, y, y), y);
      const sums = scope.apply(sumToBiasOperation, [add(scope, y, y)]);
      return [...sums, ...scope.apply(denseWeightOperation, [cubes, x!])];
    },
  });
});

test("a reshape that moves images across the batch goes by plain order", async () => {
  await expectAgreement({
    states: [
      [2, 6, 4],
      [2, 3, 4],
      [2, 5, 6],
    ],
    write(scope, [x, first, second]) {
      const y = reshape(scope, dense(scope, x!, first!), [2, 3, 6]);
      return [dense(scope, y, second!), tanh(scope, y), y];
    },
  });
});

test("a tensor that is read in both orders is right in both", async () => {
  await expectAgreement({
    states: [
      [1, 3, 5],
      [1, 2, 5],
    ],
    write(scope, [x, weight]) {
      const y = dense(scope, x!, weight!);
      return [y, relu(scope, y), tanh(scope, x!), add(scope, x!, x!)];
    },
  });
});

test("equal inputs give equal bytes, in memory that another run has left behind", async () => {
  const sketch = smallNetwork(2, 9);
  const first = await run(sketch, wasmEngine());
  await run(smallNetwork(1, 20), wasmEngine());
  expect(await run(sketch, wasmEngine())).toEqual(first);
});

test("a member of a population gets the bytes that it would get alone", async () => {
  const builders = [1, 2].map((members) => smallNetwork(members, 10));
  const [alone, together] = await Promise.all(builders.map((sketch) => run(sketch, wasmEngine())));
  // states are drawn in order, so the first member of two starts like the only one
  alone!.forEach((values, i) => {
    expect(together![i]!.slice(0, values.length)).toEqual(values);
  });
});

test("fusion joins product, bias and relu only where nobody looks in between", () => {
  const builder = programBuilder();
  const [x, weight, bias] = [
    [1, 2, 3],
    [1, 4, 3],
    [1, 4],
  ].map((shape, i) => builder.state(`s${i}`, shape)) as [Tensor, Tensor, Tensor];
  const tasksOf = (name: string, write: (scope: Scope) => Tensor[]): string[] => {
    const { procedure } = builder.procedure(name, (scope) =>
      Object.fromEntries(write(scope).map((tensor, i) => [i, tensor])),
    );
    return fuse(procedure).map(({ node, bias: fused, relu: cut }) =>
      [node.operation.name, fused === null ? "" : "+bias", cut ? "+relu" : ""].join(""),
    );
  };
  const product = (scope: Scope): Tensor => dense(scope, x, weight);
  expect(
    tasksOf("all three", (scope) => [relu(scope, addBias(scope, product(scope), bias))]),
  ).toEqual(["dense+bias+relu"]);
  expect(tasksOf("no bias", (scope) => [relu(scope, product(scope))])).toEqual(["dense+relu"]);
  expect(
    tasksOf("the sum is an output", (scope) => {
      const sum = addBias(scope, product(scope), bias);
      return [sum, relu(scope, sum)];
    }),
  ).toEqual(["dense+bias", "relu"]);
  expect(
    tasksOf("the product is read twice", (scope) => {
      const made = product(scope);
      return [add(scope, relu(scope, addBias(scope, made, bias)), made)];
    }),
  ).toEqual(["dense", "addBias+relu", "add"]);
  expect(
    tasksOf("the bias comes later", (scope) => {
      const made = product(scope);
      return [addBias(scope, made, tanh(scope, bias))];
    }),
  ).toEqual(["dense", "tanh", "addBias"]);
});

test("scratch regions overlap only if no step needs both", () => {
  const random = createRandom(5);
  const regions = Array.from({ length: 60 }, (): ScratchRegion => {
    const first = random.integer(40);
    return { ...newScratch(1 + random.integer(5000)), first, last: first + random.integer(8) };
  });
  const end = placeByLifetime(regions, 128);
  const total = regions.reduce((sum, { byteLength }) => sum + byteLength, 0);
  expect(end).toBeLessThan(total / 2);
  for (const a of regions) {
    expect(a.address % 64).toBe(0);
    expect(a.address).toBeGreaterThanOrEqual(128);
    expect(a.address + a.byteLength).toBeLessThanOrEqual(end);
    for (const b of regions) {
      const together = a !== b && a.first <= b.last && b.first <= a.last;
      const apart = a.address + a.byteLength <= b.address || b.address + b.byteLength <= a.address;
      if (together) expect(apart).toBe(true);
    }
  }
});

test("an executable says no to strangers, to wrong sizes, and to all once disposed of", async () => {
  const builder = programBuilder();
  const x = builder.state("x", [1, 3]);
  const { procedure, outputs } = builder.procedure("p", (scope) => ({
    y: tanh(scope, relu(scope, x)),
  }));
  const hidden = procedure.nodes[0]!.outputs[0]!;
  const executable = await wasmEngine().compile(builder.build());
  expect(() => executable.write(x, new Float32Array(4))).toThrow(/cannot hold 4/);
  const isUnknown = (e: unknown): boolean => isWeightGraphError(e, "ENGINE_GRAPH");
  await expect(executable.read(hidden)).rejects.toSatisfy(isUnknown);
  executable.write(x, Float32Array.of(0, 1, -1));
  executable.run(procedure);
  expect((await executable.read(outputs.y))[1]).toBeCloseTo(Math.tanh(1), 6);
  executable.dispose();
  executable.dispose();
  await expect(executable.read(x)).rejects.toSatisfy(isUnknown);
  expect(() => executable.run(procedure)).toThrow(/disposed|no state/);
});
