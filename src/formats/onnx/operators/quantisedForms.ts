/**
 * Operators that are another one on quantised numbers, with scales and zero points between its inputs.
 * Source: https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md.
 */

export interface QuantisedForm {
  /** The operator on real numbers. */
  readonly as: string;
  /** Where its inputs stand among `count`; the others are scales and zero points. */
  inputs(count: number): readonly number[];
}

const one = (as: string): QuantisedForm => ({ as, inputs: () => [0] });
/** a, its scale and zero point, b, its scale and zero point, those of the result. */
const two = (as: string): QuantisedForm => ({ as, inputs: () => [0, 3] });

export const quantisedForms: ReadonlyMap<string, QuantisedForm> = new Map<string, QuantisedForm>([
  ["QLinearAdd", two("Add")],
  ["QLinearMul", two("Mul")],
  ["QLinearAveragePool", one("AveragePool")],
  ["QLinearGlobalAveragePool", one("GlobalAveragePool")],
  ["QLinearLeakyRelu", one("LeakyRelu")],
  ["QLinearReduceMean", one("ReduceMean")],
  ["QLinearSigmoid", one("Sigmoid")],
  ["QLinearSoftmax", one("Softmax")],
  // The condition, then x and y with theirs.
  ["QLinearWhere", { as: "Where", inputs: () => [0, 1, 4] }],
  // Scale and zero point of the result, then three inputs to each part.
  [
    "QLinearConcat",
    {
      as: "Concat",
      inputs: (count) =>
        Array.from({ length: Math.max(0, Math.floor((count - 2) / 3)) }, (_, i) => 2 + 3 * i),
    },
  ],
]);
