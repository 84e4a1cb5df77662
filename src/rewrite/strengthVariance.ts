/**
 * Strength variance of one layer: how unevenly its signed weights are spread over neurons.
 *
 * The strength of a neuron within its layer is the sum of its signed weights: column sums for the sending neurons (`inputs`),
 * row sums for the receiving ones (`outputs`); no absolute value. Variances are unbiased (n - 1). One neuron alone has no
 * spread: its variance is 0. Cost: one pass, float64 sums.
 * Source: Scabini, De Baets, Bruno 2024 (arXiv 2207.08148), the criterion of the random search in the authors' code.
 */
import { AnalysisError } from "../errors.ts";
import { variance } from "../numeric/variance.ts";
import type { WeightMatrix } from "./weightMatrix.ts";

export interface StrengthVariance {
  /** Of the column sums. */
  readonly inputs: number;
  /** Of the row sums. */
  readonly outputs: number;
  /** Mean of the two: what `searchByStrengthVariance` makes small. */
  readonly mean: number;
}

/** @throws {AnalysisError} `ANALYSIS_UNDEFINED` when a variance leaves the range of float64. */
export function strengthVariance({ weights, rows, columns }: WeightMatrix): StrengthVariance {
  const sending = new Float64Array(columns);
  const receiving = new Float64Array(rows);
  for (let row = 0, at = 0; row < rows; row++) {
    let sum = 0;
    for (let column = 0; column < columns; column++, at++) {
      const weight = weights[at]!;
      sum += weight;
      sending[column]! += weight;
    }
    receiving[row] = sum;
  }
  return fromSides(spread(sending), spread(receiving));
}

/** `before`, one side of which now has other strengths. */
export function withStrengths(
  before: StrengthVariance,
  side: "inputs" | "outputs",
  strengths: Float64Array,
): StrengthVariance {
  const own = spread(strengths);
  return side === "inputs" ? fromSides(own, before.outputs) : fromSides(before.inputs, own);
}

function fromSides(inputs: number, outputs: number): StrengthVariance {
  const mean = (inputs + outputs) / 2;
  if (!Number.isFinite(mean)) {
    throw new AnalysisError("ANALYSIS_UNDEFINED", "the strength variance exceeds float64", {
      hint: "Divide all weights by a common factor.",
    });
  }
  return { inputs, outputs, mean };
}

function spread(strengths: Float64Array): number {
  return strengths.length < 2 ? 0 : variance(strengths, 1);
}
