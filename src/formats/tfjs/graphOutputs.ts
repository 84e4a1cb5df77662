/** Which output of a node an edge names: by number, or by name as function bodies do. */

const outputNames: Readonly<Record<string, readonly string[]>> = {
  TopKV2: ["values", "indices"],
  Unique: ["y", "idx"],
  UniqueV2: ["y", "idx"],
  Switch: ["output_false", "output_true"],
  Merge: ["output", "value_index"],
  TensorListPopBack: ["output_handle", "tensor"],
  TensorListConcat: ["tensor", "lengths"],
  TensorListConcatV2: ["tensor", "lengths"],
  TensorArrayV3: ["handle", "flow"],
  MaxPoolWithArgmax: ["output", "argmax"],
  ListDiff: ["out", "idx"],
  NonMaxSuppressionV4: ["selected_indices", "valid_outputs"],
  NonMaxSuppressionV5: ["selected_indices", "selected_scores", "valid_outputs"],
};
const normalised = ["y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2"];

/** `name` is output 0, `name:2` output 2, `name:output:1` entry 1 of the outputs called so. */
export function outputPlace(edge: string, op: string): number {
  const [, second, third] = edge.split(":");
  if (second === undefined) return 0;
  if (third === undefined) return Number(second);
  const names = op.startsWith("FusedBatchNorm")
    ? normalised
    : Object.hasOwn(outputNames, op)
      ? outputNames[op]!
      : [];
  return Math.max(0, names.indexOf(second)) + Number(third);
}
