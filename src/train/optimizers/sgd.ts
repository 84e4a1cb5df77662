import { sgdColumns, sgdUpdateOperation } from "../ops/sgdUpdate.ts";
import { requireOption, type Optimizer } from "./optimizer.ts";

/** Stochastic gradient descent with momentum; `sgdUpdate` has the formula. The first gradient enters the velocity undampened. */
export const sgd: Optimizer = {
  name: "sgd",
  defaults: { learningRate: 0.01, momentum: 0, dampening: 0, weightDecay: 0, nesterov: 0 },
  memories: ["velocity"],
  columns: sgdColumns.length,
  check({ momentum = 0, dampening = 0, nesterov = 0 }) {
    const sound = nesterov === 0 || (nesterov === 1 && momentum > 0 && dampening === 0);
    requireOption(sound, "nesterov is 0 or 1 and needs a momentum and no dampening");
  },
  fillSettings(row, options, step) {
    const {
      learningRate = 0,
      momentum = 0,
      dampening = 0,
      weightDecay = 0,
      nesterov = 0,
    } = options;
    row[0] = learningRate;
    row[1] = momentum;
    row[2] = step === 1 ? 1 : 1 - dampening;
    row[3] = weightDecay;
    row[4] = nesterov;
  },
  update(scope, { parameter, gradient, memories, settings }) {
    scope.apply(sgdUpdateOperation, [parameter, gradient, ...memories, settings]);
  },
};
