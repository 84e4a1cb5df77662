import { adamColumns, adamUpdateOperation } from "../ops/adamUpdate.ts";
import { requireOption, type Optimizer } from "./optimizer.ts";

/** Adam; `adamUpdate` has the formula. Weight decay is added to the gradient, as in the original, not decoupled. */
export const adam: Optimizer = {
  name: "adam",
  defaults: { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
  memories: ["mean", "square"],
  columns: adamColumns.length,
  check({ beta1 = 0, beta2 = 0 }) {
    requireOption(beta1 < 1 && beta2 < 1, "beta1 and beta2 must be below 1");
  },
  fillSettings(row, options, step) {
    const { learningRate = 0, beta1 = 0, beta2 = 0, epsilon = 0, weightDecay = 0 } = options;
    row[0] = learningRate / (1 - wholePower(beta1, step));
    row[1] = beta1;
    row[2] = 1 - beta1;
    row[3] = beta2;
    row[4] = 1 - beta2;
    row[5] = Math.sqrt(1 - wholePower(beta2, step));
    row[6] = epsilon;
    row[7] = weightDecay;
  },
  update(scope, { parameter, gradient, memories, settings }) {
    scope.apply(adamUpdateOperation, [parameter, gradient, ...memories, settings]);
  },
};

/** base^exponent for whole exponents >= 0, by multiplications alone, which all machines agree on; `**` is left to the runtime. */
function wholePower(base: number, exponent: number): number {
  let power = 1;
  let square = base;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power *= square;
    square *= square;
  }
  return power;
}
