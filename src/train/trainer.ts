/**
 * A population in training: the program of its steps and evaluations, compiled once, and the way in and out for batches,
 * weights and losses. Knows neither data sets nor epochs; `run.ts` does.
 */
import { ShapeError } from "../errors.ts";
import { createRandom } from "../random.ts";
import type { FloatArray } from "../tensor/dtype.ts";
import { elementCount, sameShape, type Shape } from "../tensor/shape.ts";
import { gradients } from "./autodiff.ts";
import type { Engine, Executable } from "./engines/engine.ts";
import type { Initializer } from "./initializers/initializer.ts";
import { programBuilder, type Procedure, type ProgramBuilder, type Tensor } from "./ir.ts";
import type { Loss } from "./losses/losses.ts";
import type { Network } from "./network.ts";
import { countCorrect } from "./ops/countCorrect.ts";
import type { Optimizer, OptimizerOptions } from "./optimizers/optimizer.ts";

/** One tensor by its name: a parameter of one member, or a state of the whole population. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: Shape;
  readonly values: FloatArray;
}

/** One network of the population. */
export interface MemberPlan {
  /** Of its initial weights. */
  readonly seed: number;
  /** Complete: every option of the optimiser. */
  readonly optimizer: OptimizerOptions;
  /** Its initial parameters, all of them, where they are not to be drawn. */
  readonly initial?: readonly NamedTensor[];
}

export interface TrainerPlan {
  readonly network: Network;
  readonly members: readonly MemberPlan[];
  readonly optimizer: Optimizer;
  readonly loss: Loss;
  /** Every size that a training batch will have. */
  readonly stepSizes: readonly number[];
  /** Every size that a batch of an evaluation will have. */
  readonly evaluationSizes: readonly number[];
  /** True: one batch for all members, [1, B, …]; false: each its own, [P, B, …]. */
  readonly sharedBatches: boolean;
}

/** A batch of training, [1 or P, B, …] as planned. */
export interface Batch {
  readonly images: Float32Array;
  readonly labels: Int32Array;
}

export interface Trainer {
  /**
   * Sets every member's parameters: those it was given, or drawn from its seed; rounded to float32, so that all engines start
   * from the same. @throws {ShapeError} `SHAPE_MISMATCH` for a given parameter that is missing or of another shape.
   */
  initialise(initializer: Initializer): void;
  /** Sets every state, as `states` gave them. @throws {ShapeError} `SHAPE_MISMATCH` if one is missing or of another shape. */
  restore(states: readonly NamedTensor[]): void;
  /** One update from one batch of `size`; `step` counts from 1. The loss of each member before the update. */
  step(batch: Batch, size: number, step: number): Promise<FloatArray>;
  /** Mean loss and number of hits of each member on one batch of `size`, shared by all: [1, B, …]. */
  evaluate(batch: Batch, size: number): Promise<{ loss: FloatArray; correct: FloatArray }>;
  /** One member's parameters, as float32. */
  weights(member: number): Promise<NamedTensor[]>;
  /** Every state [P, …] in the engine's own precision: parameters and what the optimiser keeps. */
  states(): Promise<NamedTensor[]>;
  dispose(): void;
}

/** @throws {EngineError} of the engine. @throws {ShapeError} of the network. */
export async function createTrainer(plan: TrainerPlan, engine: Engine): Promise<Trainer> {
  const { members, network, optimizer } = plan;
  const builder = programBuilder();
  const states = writeStates(plan, builder);
  const steps = new Map(
    plan.stepSizes.map((size) => [size, writeStep(plan, { builder, states, size })]),
  );
  const evaluations = new Map(
    plan.evaluationSizes.map((size) => [size, writeEvaluation(plan, { builder, states, size })]),
  );
  const program = builder.build();
  const executable = await engine.compile(program);
  const settings = new Float64Array(members.length * optimizer.columns);
  const rows = members.map((_, i) =>
    settings.subarray(i * optimizer.columns, (i + 1) * optimizer.columns),
  );
  const memberSize = (tensor: Tensor): number => elementCount(tensor.shape) / members.length;

  return {
    initialise(initializer) {
      states.parameters.forEach((tensor, i) => {
        const parameter = network.parameters[i]!;
        const size = memberSize(tensor);
        const all = new Float64Array(size * members.length);
        members.forEach(({ seed, initial }, member) => {
          const own = all.subarray(member * size, (member + 1) * size);
          if (initial !== undefined) own.set(findTensor(initial, parameter).values);
          else initializer.fill(own, parameter, createRandom(seed).fork(parameter.name));
        });
        executable.write(tensor, Float32Array.from(all));
      });
    },
    restore(given) {
      for (const tensor of program.states) {
        executable.write(tensor, findTensor(given, tensor).values);
      }
    },
    async step({ images, labels }, size, step) {
      const { procedure, tensors } = steps.get(size)!;
      rows.forEach((row, i) => optimizer.fillSettings(row, members[i]!.optimizer, step));
      executable.write(tensors.images, images);
      executable.write(tensors.labels, labels);
      executable.write(tensors.settings, settings);
      executable.run(procedure);
      return read(executable, tensors.loss);
    },
    async evaluate({ images, labels }, size) {
      const { procedure, tensors } = evaluations.get(size)!;
      executable.write(tensors.images, images);
      executable.write(tensors.labels, labels);
      executable.run(procedure);
      const loss = await read(executable, tensors.loss);
      return { loss, correct: await read(executable, tensors.correct) };
    },
    async weights(member) {
      return Promise.all(
        states.parameters.map(async (tensor): Promise<NamedTensor> => {
          const size = memberSize(tensor);
          const all = await read(executable, tensor);
          const values = Float32Array.from(all.subarray(member * size, (member + 1) * size));
          return { name: tensor.name, shape: tensor.shape.slice(1), values };
        }),
      );
    },
    async states() {
      return Promise.all(
        program.states.map(async (tensor): Promise<NamedTensor> => {
          const { name, shape } = tensor;
          return { name, shape, values: await read(executable, tensor) };
        }),
      );
    },
    dispose: () => executable.dispose(),
  };
}

interface States {
  readonly parameters: readonly Tensor[];
  /** For each parameter what the optimiser keeps of it. */
  readonly memories: readonly (readonly Tensor[])[];
}

interface Writing {
  readonly builder: ProgramBuilder;
  readonly states: States;
  readonly size: number;
}

interface Written<T> {
  readonly procedure: Procedure;
  readonly tensors: T;
}

function writeStates(
  { network, members, optimizer }: TrainerPlan,
  builder: ProgramBuilder,
): States {
  const state = (name: string, shape: Shape): Tensor =>
    builder.state(name, [members.length, ...shape]);
  return {
    parameters: network.parameters.map(({ name, shape }) => state(name, shape)),
    memories: network.parameters.map(({ name, shape }) =>
      optimizer.memories.map((memory) => state(`${name}/${memory}`, shape)),
    ),
  };
}

function writeStep(
  { network, members, optimizer, loss, sharedBatches }: TrainerPlan,
  { builder, states, size }: Writing,
): Written<Record<"images" | "labels" | "settings" | "loss", Tensor>> {
  const leading = sharedBatches ? 1 : members.length;
  const { procedure, outputs } = builder.procedure(`step of ${size}`, (scope) => {
    const images = scope.input("images", [leading, size, ...network.architecture.inputShape]);
    const labels = scope.input("labels", [leading, size], "index");
    const settings = scope.input("settings", [members.length, optimizer.columns]);
    const mean = loss.apply(scope, network.forward(scope, images, states.parameters), labels);
    const slopes = gradients(scope, mean, states.parameters);
    states.parameters.forEach((parameter, i) => {
      const memories = states.memories[i]!;
      optimizer.update(scope, { parameter, gradient: slopes[i]!, memories, settings });
    });
    return { images, labels, settings, loss: mean };
  });
  return { procedure, tensors: outputs };
}

function writeEvaluation(
  { network, loss }: TrainerPlan,
  { builder, states, size }: Writing,
): Written<Record<"images" | "labels" | "loss" | "correct", Tensor>> {
  const { procedure, outputs } = builder.procedure(`evaluation of ${size}`, (scope) => {
    const images = scope.input("images", [1, size, ...network.architecture.inputShape]);
    const labels = scope.input("labels", [1, size], "index");
    const logits = network.forward(scope, images, states.parameters);
    const correct = countCorrect(scope, logits, labels);
    return { images, labels, correct, loss: loss.apply(scope, logits, labels) };
  });
  return { procedure, tensors: outputs };
}

/** @throws {ShapeError} `SHAPE_MISMATCH` unless a tensor of this name and shape is among `given`. */
function findTensor(
  given: readonly NamedTensor[],
  { name, shape }: { readonly name: string; readonly shape: Shape },
): NamedTensor {
  const found = given.find((tensor) => tensor.name === name);
  if (found !== undefined && sameShape(found.shape, shape)) return found;
  const wanted = `${name} [${shape.join(", ")}]`;
  throw new ShapeError(
    "SHAPE_MISMATCH",
    found === undefined
      ? `the given weights have no ${wanted}`
      : `the given weights have [${found.shape.join(", ")}] for ${wanted}`,
    { path: [name], hint: "Give the weights of a network of the same architecture." },
  );
}

/** What `executable` holds in a real tensor. */
async function read(executable: Executable, tensor: Tensor): Promise<FloatArray> {
  return (await executable.read(tensor)) as FloatArray;
}
