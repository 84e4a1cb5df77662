/**
 * ai.onnx.ml: models whose numbers stand in attributes. Linear ones and support vectors are weights; trees are counted.
 * Source: https://onnx.ai/onnx/operators, domain ai.onnx.ml
 */
import {
  freshAxis,
  shapeless,
  unknownActivation,
  type Activation,
  withFeatures,
} from "../activation.ts";
import { constantOf, type Constant } from "../constant.ts";
import type { AxisRole } from "../../../tensor/layout.ts";
import type { Shape } from "../../../tensor/shape.ts";
import { activationAt, asActivation, type Call } from "../operator.ts";
import { placeDense } from "../placeDense.ts";
import { concatenate } from "./concat.ts";

/** LinearClassifier, LinearRegressor: coefficients [targets, features], intercepts. */
export function linear(call: Call): readonly Activation[] {
  const { node } = call;
  const intercepts = numbers(call, "intercepts");
  if (intercepts !== null) call.collect.claim(intercepts, "bias");
  const count = node.floats("coefficients")?.length ?? 0;
  const named = node.ints("classlabels_ints")?.length ?? 0;
  const targets = node.int("targets", 0) || intercepts?.shape[0] || named || 1;
  const scores = placed(call, { name: "coefficients", shape: [targets, count / targets] });
  // A classifier's first output is the label.
  return node.opType === "LinearRegressor" ? [scores] : [unknownActivation, scores];
}

/**
 * SVMClassifier, SVMRegressor: support vectors [vectors, features], then coefficients [scores, vectors]; without support vectors
 * the coefficients [scores, features] are linear.
 */
export function supportVectors(call: Call): readonly Activation[] {
  const { node } = call;
  const rho = numbers(call, "rho");
  if (rho !== null) call.collect.claim(rho, "bias");
  for (const name of ["prob_a", "prob_b"]) {
    const own = numbers(call, name);
    if (own !== null) call.collect.claim(own, "bias");
  }
  const perClass = node.ints("vectors_per_class")?.reduce((a, b) => a + b, 0) ?? 0;
  const vectors = node.int("n_supports", 0) || perClass;
  const count = node.floats("coefficients")?.length ?? 0;
  const size = node.floats("support_vectors")?.length ?? 0;
  const isClassifier = node.opType === "SVMClassifier";
  const outputs = (scores: Activation): Activation[] =>
    isClassifier ? [unknownActivation, scores] : [scores];
  if (vectors > 0 && size > 0) {
    const near = placed(call, { name: "support_vectors", shape: [vectors, size / vectors] });
    return outputs(
      placed(call, { name: "coefficients", shape: [count / vectors, vectors], of: near }),
    );
  }
  const labels = node.ints("classlabels_ints")?.length ?? 0;
  const rows = isClassifier ? rho?.shape[0] || labels || 1 : 1;
  return outputs(placed(call, { name: "coefficients", shape: [rows, count / rows] }));
}

/** Trees: thresholds and leaves, by name, and the operator counted among those that are not followed. */
export function trees(call: Call): readonly Activation[] {
  const { node, collect } = call;
  const lists = ["nodes_values", "class_weights", "target_weights", "base_values"];
  const tensors = ["nodes_splits", "leaf_weights", ...lists.map((name) => `${name}_as_tensor`)];
  for (const name of lists) {
    const own = numbers(call, name);
    if (own !== null) collect.claim(own, "unknown");
  }
  for (const name of tensors) {
    const tensor = node.tensor(name);
    if (tensor !== null)
      collect.claim(constantOf({ ...tensor, name: fullName(call, name) }), "unknown");
  }
  collect.unknownOperator(node.opType);
  return [unknownActivation, unknownActivation];
}

/** Scaler, Normalizer, Imputer: numbers of single features. */
export function scaled(call: Call): readonly Activation[] {
  for (const name of ["offset", "scale"]) {
    const own = numbers(call, name);
    if (own !== null) call.collect.claim(own, "normalisation");
  }
  return [activationAt(call, 0)];
}

/** FeatureVectorizer: columns side by side. */
export function sideBySide(call: Call): readonly Activation[] {
  return [concatenate(call, call.inputs.map(asActivation), 1)];
}

function placed(
  call: Call,
  { name, shape, of = activationAt(call, 0) }: { name: string; shape: Shape; of?: Activation },
): Activation {
  const constant = numbers(call, name, shape);
  if (constant === null) return shapeless(of);
  const axis = of.axes === null ? 1 : of.axes.length - 1;
  const roles: AxisRole[] = ["out", "in"];
  const to = placeDense(call, { constant, split: shape, roles, activation: of, axis });
  return withFeatures([of.axes?.[0] ?? freshAxis(null), []], 1, to);
}

/** A list of numbers of an attribute; null where it is empty or does not fill `shape`. */
function numbers(call: Call, name: string, shape?: Shape): Constant | null {
  const values = call.node.floats(name);
  if (values === null || values.length === 0) return null;
  const own = shape ?? [values.length];
  const isWhole = own.every((size) => Number.isSafeInteger(size) && size > 0);
  if (!isWhole || own.reduce((a, b) => a * b, 1) !== values.length) return null;
  return constantOf({
    name: fullName(call, name),
    dtype: "float32",
    shape: own,
    read: async () => Float32Array.from(values),
  });
}

function fullName({ node }: Call, name: string): string {
  return `${String(node.path.at(-1))}.${name}`;
}
