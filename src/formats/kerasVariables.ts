/** What the variables of a Keras layer are called, by name or by the order in which a layer makes them. */
import type { StoredTensor, TensorRole } from "../model/model.ts";
import { isFloat } from "../tensor/dtype.ts";
import { elementCount } from "../tensor/shape.ts";

/** Keras 1 put the layer's name in front of a letter: `dense_1_W`. */
const letters: ReadonlyMap<string, string> = new Map([
  ["W", "kernel"],
  ["U", "recurrent_kernel"],
  ["b", "bias"],
  ["running_mean", "moving_mean"],
  ["running_std", "moving_variance"],
]);

const spelledOut =
  /(?:^|_)(depthwise_kernel|pointwise_kernel|recurrent_kernel|kernel|recurrent_bias|bias|gamma|beta|moving_mean|moving_variance|embeddings|alphas?)$/;

/** `conv2d_1/kernel:0` is `kernel`, `dense_1_W` too. */
export function variableOf(name: string): string {
  const last = name.slice(name.lastIndexOf("/") + 1).replace(/:\d+$/, "");
  const letter = /_(W|U|b|running_mean|running_std)(?:_[a-z])?(?:_\d+)?$/.exec(last)?.[1];
  if (letter !== undefined) return letters.get(letter)!;
  const lower = last.toLowerCase();
  return spelledOut.exec(lower)?.[1] ?? lower;
}

/** Names that are never a weight between neurons, however many axes they have. */
const roleOfVariable: ReadonlyMap<string, TensorRole> = new Map([
  ["bias", "bias"],
  ["biases", "bias"],
  ["recurrent_bias", "bias"],
  ["attention_v", "unknown"],
  ["alpha", "normalisation"],
  ["alphas", "unknown"],
  ["u", "normalisation"],
  ["vector_u", "normalisation"],
  ["sn_u", "normalisation"],
  ["kernel_scale", "normalisation"],
  ["embeddings_scale", "normalisation"],
  ...["gamma", "beta", "moving_mean", "moving_variance", "mean", "variance", "scale"].map(
    (name): [string, TensorRole] => [name, "normalisation"],
  ),
]);

/** Role by variable first, then by axes: two and more are a weight. */
export function variableRole(
  variable: string,
  { shape, dtype }: Pick<StoredTensor, "shape" | "dtype">,
): TensorRole {
  const known = roleOfVariable.get(variable);
  const isCoded = dtype === "uint8" || dtype === "uint16" || (dtype === "int8" && shape.length > 1);
  if (!isFloat(dtype) && !isCoded) return "constant";
  if (known !== undefined && (known !== "normalisation" || shape.length > 0)) return known;
  if (shape.length < 2) return "unknown";
  return elementCount(shape) === 0 ? "constant" : "weight";
}

/** Role by name, as above. */
export function kerasRole(
  name: string,
  shape: readonly number[],
  dtype: StoredTensor["dtype"],
): TensorRole {
  return variableRole(variableOf(name), { shape, dtype });
}

const order: readonly (readonly [RegExp, readonly string[]])[] = [
  [
    /^(batch|sync_batch|layer|group|instance|rms)_normalization|^layer_norm/,
    ["gamma", "beta", "moving_mean", "moving_variance"],
  ],
  [/^normalization$/, ["mean", "variance", "count"]],
  [/^spectral_normalization$/, ["vector_u"]],
  [/^embedding$|_embedding$/, ["embeddings"]],
  [/^separable_?conv/, ["depthwise_kernel", "pointwise_kernel", "bias"]],
  [/^depthwise_?conv/, ["depthwise_kernel", "bias"]],
  [/(lstm|gru|rnn)\d*d?(_cell)?$/, ["kernel", "recurrent_kernel", "bias"]],
  [/^p_re_lu$/, ["alpha"]],
  [/(^|_)attention$/, ["scale"]],
  [/^seed_generator$/, ["seed"]],
];

/**
 * Names of numbered variables, by the snake-case class of the layer; of other layers a kernel and a bias. A normalisation that its
 * configuration says has no scale or no centre makes no gamma or beta.
 */
export function numberedVariable(
  snakeClass: string,
  index: number,
  { scale, center }: Readonly<Record<string, unknown>> = {},
): string {
  const all = order.find(([classes]) => classes.test(snakeClass))?.[1] ?? ["kernel", "bias"];
  const names = all.filter(
    (name) => !(name === "gamma" && scale === false) && !(name === "beta" && center === false),
  );
  return names[index] ?? `variable_${index}`;
}

/** As Keras makes names of classes: `Conv2DTranspose` is `conv2d_transpose`. */
export function snakeCase(className: string): string {
  return className
    .replace(/\W+/g, "")
    .replace(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}

/** `dense_1` is of the class `dense`. */
export function classOfGroup(group: string): string {
  return group.replace(/_\d+$/, "");
}
