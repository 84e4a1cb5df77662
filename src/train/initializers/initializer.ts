import type { Random } from "../../random.ts";
import type { ParameterPlan } from "../layers/layer.ts";

/** A registered part: where a parameter starts. */
export interface Initializer {
  readonly name: string;
  /** Fills one member's parameter, row-major; `random` is a stream of this parameter's own. */
  readonly fill: (values: Float64Array, parameter: ParameterPlan, random: Random) => void;
}

/** Uniform in [-bound, bound). */
export function fillUniform(values: Float64Array, bound: number, random: Random): void {
  for (let i = 0; i < values.length; i++) values[i] = bound * (2 * random.uniform() - 1);
}
