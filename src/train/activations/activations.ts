/** Every activation by name. A new one is an operation with its gradient, and a line here. */
import type { Scope, Tensor } from "../ir.ts";
import { relu } from "../ops/relu.ts";
import { tanh } from "../ops/tanh.ts";
import { createRegistry, type Registry } from "../registry.ts";

/** A registered part: what a neuron makes of its sum. */
export interface Activation {
  readonly name: string;
  readonly apply: (scope: Scope, x: Tensor) => Tensor;
}

export const activations: Registry<Activation> = createRegistry("activation", [
  { name: "relu", apply: relu },
  { name: "tanh", apply: tanh },
]);
