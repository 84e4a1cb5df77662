/** Every operation on small, odd shapes, for one member and for three: what the gradient and conformance tests run through. */
import { createRandom, type Random } from "../../src/random.ts";
import { elementCount } from "../../src/tensor/shape.ts";
import type { Attributes, Buffer, Operation, TensorType } from "../../src/train/ir.ts";
import { operations } from "../../src/train/ops/operations.ts";

interface Given {
  readonly shape: readonly number[];
  /** Draws one element. @defaultValue uniform in [-1, 1) */
  readonly draw?: (random: Random) => number;
  readonly kind?: "index";
}

export interface OperationCase {
  readonly name: string;
  readonly operation: Operation;
  readonly inputs: readonly TensorType[];
  readonly attributes: Attributes;
  /** Which inputs can be differentiated by; the rest are labels. */
  readonly real: readonly boolean[];
  /** True if windows hold equal maxima, where no derivative exists. */
  readonly hasTies: boolean;
  /** The same values on every call. */
  readonly values: () => Buffer[];
}

const label = (classes: number) => (random: Random) => random.integer(classes);
const drawTies = (random: Random): number => Math.max(0, random.integer(5) - 2);
const window = { stride: [1, 1], padding: [0, 0] };

/** The cases of a population of `members`, of which the batch has a leading 1 if it is `shared`. */
function casesOf(members: number, shared: boolean): OperationCase[] {
  const P = members;
  const S = shared ? 1 : members;
  const make = (operation: string, inputs: readonly Given[], attributes: Attributes = {}) => {
    const detail = Object.entries(attributes).map(([key, value]) => `${key} ${String(value)}`);
    const name = [`P=${P}`, shared ? "shared batch" : "own batches", operation, ...detail];
    return {
      name: name.join(", "),
      operation: operations.get(operation),
      attributes,
      inputs: inputs.map(({ shape, kind }): TensorType => ({ shape, kind: kind ?? "real" })),
      hasTies: inputs.some(({ draw }) => draw === drawTies),
      real: inputs.map(({ kind }) => kind !== "index"),
      values: () => drawAll(inputs, createRandom(7)),
    };
  };
  const labels = (batch: number, classes: number): Given => ({
    shape: [S, batch],
    kind: "index",
    draw: label(classes),
  });
  const cases = [
    make("dense", [{ shape: [S, 5, 7] }, { shape: [P, 3, 7] }]),
    make("dense", [{ shape: [S, 1, 1] }, { shape: [P, 1, 1] }]),
    make("denseWeight", [{ shape: [P, 5, 3] }, { shape: [S, 5, 7] }]),
    make("softmaxCrossEntropy", [{ shape: [P, 5, 7] }, labels(5, 7)]),
    make("softmaxCrossEntropy", [{ shape: [P, 3, 2], draw: (r) => 80 * r.normal() }, labels(3, 2)]),
    make("softmaxCrossEntropyInput", [{ shape: [P] }, { shape: [P, 5, 7] }, labels(5, 7)]),
    make("countCorrect", [{ shape: [P, 9, 3], draw: (r) => r.integer(3) }, labels(9, 3)]),
  ];
  for (const [stride, padding] of [
    [
      [1, 1],
      [0, 0],
    ],
    [
      [1, 1],
      [2, 2],
    ],
    [
      [2, 3],
      [1, 0],
    ],
    [
      [3, 2],
      [0, 2],
    ],
  ] as const) {
    const attributes = { stride, padding };
    const x = { shape: [S, 2, 3, 7, 9] };
    const weight = { shape: [P, 5, 3, 3, 4] };
    const places = [7, 9].map(
      (extent, axis) =>
        Math.floor((extent + 2 * padding[axis]! - [3, 4][axis]!) / stride[axis]!) + 1,
    );
    const g = { shape: [P, 2, 5, ...places] };
    cases.push(make("conv2d", [x, weight], attributes));
    cases.push(make("conv2dInput", [g, weight], { ...attributes, size: [7, 9] }));
    cases.push(make("conv2dWeight", [g, x], { ...attributes, kernel: [3, 4] }));
  }
  if (shared) return cases;
  const image = { shape: [P, 2, 3, 7, 9] };
  const ties = { ...image, draw: drawTies };
  const settings = (columns: number): Given => ({
    shape: [P, columns],
    draw: (r) => 0.1 + 0.8 * r.uniform(),
  });
  const parameter = { shape: [P, 3, 7] };
  const positive = { ...parameter, draw: (r: Random) => r.uniform() };
  return [
    ...cases,
    make("conv2d", [{ shape: [P, 1, 1, 5, 5] }, { shape: [P, 1, 1, 5, 5] }], window),
    make("denseInput", [{ shape: [P, 5, 3] }, { shape: [P, 3, 7] }]),
    make("addBias", [{ shape: [P, 5, 7] }, { shape: [P, 7] }]),
    make("addBias", [image, { shape: [P, 3] }]),
    make("sumToBias", [{ shape: [P, 5, 7] }]),
    make("sumToBias", [image]),
    make("maxPool2d", [image], { size: [2, 2], stride: [2, 2], padding: [0, 0] }),
    make("maxPool2d", [image], { size: [3, 2], stride: [1, 3], padding: [1, 0] }),
    make("maxPool2d", [ties], { size: [2, 2], stride: [2, 2], padding: [0, 0] }),
    make(
      "maxPool2dInput",
      [{ shape: [P, 2, 3, 3, 4] }, { shape: [P, 2, 3, 3, 4], kind: "index", draw: label(63) }],
      { size: [7, 9] },
    ),
    make("relu", [image]),
    make("reluInput", [image, ties]),
    make("tanh", [{ ...parameter, draw: (r) => 4 * r.normal() }]),
    make("tanhInput", [parameter, parameter]),
    make("add", [parameter, parameter]),
    make("multiply", [parameter, parameter]),
    make("reshape", [image], { shape: [P, 2, 189] }),
    make("sumMembers", [parameter]),
    make("fill", [], { shape: [P, 3], value: 0.5 }),
    make("sgdUpdate", [parameter, parameter, parameter, settings(5)]),
    make("sgdUpdate", [
      parameter,
      parameter,
      parameter,
      { shape: [P, 5], draw: (r) => r.integer(2) / 2 },
    ]),
    make("adamUpdate", [parameter, parameter, parameter, positive, settings(8)]),
  ];
}

export const operationCases: readonly OperationCase[] = [
  ...casesOf(1, false),
  ...casesOf(3, false),
  ...casesOf(3, true),
];

function drawAll(inputs: readonly Given[], random: Random): Buffer[] {
  return inputs.map(({ shape, kind, draw = (r) => 2 * r.uniform() - 1 }) => {
    const size = elementCount(shape);
    const values = kind === "index" ? new Int32Array(size) : new Float64Array(size);
    // Values that float32 holds exactly, so that engines of either precision start from the same.
    for (let i = 0; i < size; i++) values[i] = Math.fround(draw(random));
    return values;
  });
}
