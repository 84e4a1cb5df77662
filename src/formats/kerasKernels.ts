/**
 * What Keras and TensorFlow.js call their tensors, and how they lay them out: channels last, kernels [...taps, in, out].
 */
import type { StoredTensor, TensorRole, WeightKind, WeightLayer } from "../model/model.ts";
import { isFloat } from "../tensor/dtype.ts";
import { weightLayout, type AxisRole } from "../tensor/layout.ts";
import { elementCount } from "../tensor/shape.ts";

/** `conv2d_1/kernel:0` is `kernel`. */
export function variableOf(name: string): string {
  return name
    .slice(name.lastIndexOf("/") + 1)
    .replace(/:\d+$/, "")
    .toLowerCase();
}

/** Names that are never a weight between neurons, however many axes they have. */
const roleOfVariable: ReadonlyMap<string, TensorRole> = new Map([
  ["bias", "bias"],
  ["biases", "bias"],
  ["recurrent_bias", "bias"],
  ["alpha", "unknown"],
  ...["gamma", "beta", "moving_mean", "moving_variance", "mean", "variance", "scale"].map(
    (name): [string, TensorRole] => [name, "normalisation"],
  ),
]);

/** Role by name first, then by axes: two and more are a weight. */
export function kerasRole(
  name: string,
  shape: readonly number[],
  dtype: StoredTensor["dtype"],
): TensorRole {
  const isQuantised = dtype === "uint8" || dtype === "uint16";
  if (!isFloat(dtype) && !isQuantised) return "constant";
  const known = roleOfVariable.get(variableOf(name));
  if (known !== undefined && (known !== "normalisation" || shape.length > 0)) return known;
  if (shape.length < 2) return "unknown";
  return elementCount(shape) === 0 ? "constant" : "weight";
}

/**
 * The weight layer of a stored kernel. `className` is the layer's class where the file says it; without it, names that Keras
 * gives by itself (`conv2d_transpose_1`) and the number of axes decide.
 */
export function kerasKernel(tensor: StoredTensor, className: string | null): WeightLayer {
  const { name, shape } = tensor;
  const kind = kindOf(name, shape.length, className);
  const layout = weightLayout(shape, rolesOf(kind, name, shape.length));
  return {
    name,
    op: null,
    kind,
    tensor,
    in: layout.groups * layout.inPerGroup,
    out: layout.groups * layout.outPerGroup,
    layout,
    sendersKnown: true,
  };
}

/** `kernel` of an LSTM, GRU or simple recurrent layer: its partner is `recurrent_kernel`. */
export function isRecurrentClass(className: string): boolean {
  return /^(?:CuDNN)?(?:Conv)?(?:\dD)?(?:LSTM|GRU|SimpleRNN)(?:\dD|Cell)?$|^ConvLSTM\dD$/.test(
    className,
  );
}

function kindOf(name: string, axes: number, className: string | null): WeightKind {
  const variable = variableOf(name);
  const hint = `${className ?? ""} ${name}`.toLowerCase().replaceAll("_", "");
  if (variable.startsWith("depthwise")) return "depthwise";
  if (variable.startsWith("pointwise")) return "pointwise";
  if (variable === "embeddings" || className === "Embedding") return "embedding";
  // Keras 3 numbers variables in the order in which a layer makes them.
  if (hint.includes("separableconv") && variable === "0") return "depthwise";
  if (hint.includes("separableconv") && variable === "1") return "pointwise";
  if (variable === "recurrent_kernel") return "recurrent_R";
  const isRecurrent =
    className === null ? /\b\w*(?:lstm|gru|rnn)/.test(hint) : isRecurrentClass(className);
  if (isRecurrent && variable === "kernel") return "recurrent_W";
  if (axes === 2) return "dense";
  if (attention.test(name)) return "dense";
  if (/conv(?:olution)?\dd?transpose|deconv/.test(hint)) return "conv_transpose";
  if (hint.includes("depthwiseconv")) return "depthwise";
  return "conv";
}

const attention = /\/(?:query|key|value|attention_output)\/kernel/;

function rolesOf(kind: WeightKind, name: string, axes: number): AxisRole[] {
  const taps = new Array<AxisRole>(Math.max(0, axes - 2)).fill("tap");
  if (kind === "depthwise") return [...taps, "group", "out"];
  if (kind === "conv_transpose") return [...taps, "out", "in"];
  if (kind === "dense" && axes > 2) {
    const inner = new Array<AxisRole>(axes - 2);
    return name.includes("attention_output")
      ? ["in", ...inner.fill("in"), "out"]
      : ["in", ...inner.fill("out"), "out"];
  }
  return [...taps, "in", "out"];
}
