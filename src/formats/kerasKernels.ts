/**
 * How Keras and TensorFlow.js lay their kernels out: channels last, kernels [...taps, in, out].
 */
import type { StoredTensor, WeightKind, WeightLayer } from "../model/model.ts";
import { weightLayout, type AxisRole, type WeightLayout } from "../tensor/layout.ts";
import { elementCount } from "../tensor/shape.ts";
import { variableOf } from "./kerasVariables.ts";

export { kerasRole } from "./kerasVariables.ts";

/** What is known of a tensor beyond its name. */
export interface KerasVariable {
  /** `kernel`, `recurrent_kernel`, … */
  readonly variable: string;
  /** The part of the layer that it belongs to: `forward_layer/cell`, `query_dense`; empty for the layer itself. */
  readonly part: string;
}

/** What a layer's configuration says of the axes of its kernels. */
export interface KernelHints {
  /** Of an EinsumDense: `abc,cde->abde`. */
  readonly equation?: string | undefined;
  /** Of a locally connected layer, [...taps]. */
  readonly kernelSize?: readonly number[] | undefined;
  /** Theano's order of Keras 1, [out, in, ...taps]. */
  readonly isTheano?: boolean;
}

export interface KernelOptions {
  readonly known?: KerasVariable;
  readonly hints?: KernelHints | undefined;
}

/** The variable by the tensor's name alone. */
export function namedVariable({ name }: Pick<StoredTensor, "name">): KerasVariable {
  const parts = name.split("/");
  return { variable: variableOf(name), part: parts.slice(0, -1).join("/") };
}

/**
 * The weight layer of a stored kernel. `className` is the layer's class where the file says it; without it, names that Keras
 * gives by itself (`conv2d_transpose_1`) and the number of axes decide.
 */
export function kerasKernel(
  tensor: StoredTensor,
  className: string | null,
  { known = namedVariable(tensor), hints = {} }: KernelOptions = {},
): WeightLayer {
  const { name, shape } = tensor;
  const kind = kindOf(name, { axes: shape.length, className, known });
  const layout = layoutOf(shape, { kind, className, known, hints });
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
  return /^(?:CuDNN)?(?:Conv)?(?:\dD)?(?:LSTM|GRU|SimpleRNN)(?:\dD|Cell)?$|^ConvLSTM\dD(?:Cell)?$|^StackedRNNCells$/.test(
    className,
  );
}

interface Described {
  readonly axes: number;
  readonly className: string | null;
  readonly known: KerasVariable;
}

function kindOf(name: string, { axes, className, known }: Described): WeightKind {
  const { variable } = known;
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
  if (isProjection(known) || className === "EinsumDense") return "dense";
  if (/conv(?:olution)?\dd?transpose|deconv/.test(hint)) return "conv_transpose";
  if (hint.includes("depthwiseconv")) return "depthwise";
  return "conv";
}

/** Of an attention layer. */
function isProjection({ part, variable }: KerasVariable): boolean {
  return (
    variable === "kernel" &&
    /(^|\/)(_?(query|key|value|output)_dense|query|key|value|attention_output)$/.test(part)
  );
}

interface Placing {
  readonly kind: WeightKind;
  readonly className: string | null;
  readonly known: KerasVariable;
  readonly hints: KernelHints;
}

function layoutOf(shape: readonly number[], placing: Placing): WeightLayout {
  const { kind, className, known, hints } = placing;
  const local = className?.startsWith("LocallyConnected") === true && localLayout(shape, hints);
  if (local) return local;
  const byEquation =
    hints.equation === undefined ? null : equationRoles(hints.equation, shape.length);
  if (byEquation !== null) return weightLayout(shape, byEquation);
  if (hints.isTheano === true && kind === "conv" && shape.length === 4) {
    return weightLayout(shape, ["out", "in", "tap", "tap"]);
  }
  return weightLayout(shape, rolesOf(kind, known, shape.length));
}

function rolesOf(kind: WeightKind, { part }: KerasVariable, axes: number): AxisRole[] {
  const taps = new Array<AxisRole>(Math.max(0, axes - 2)).fill("tap");
  if (kind === "depthwise") return [...taps, "group", "out"];
  if (kind === "conv_transpose") return [...taps, "out", "in"];
  if (kind === "dense" && axes > 2) {
    const inner = new Array<AxisRole>(axes - 2);
    return /(attention_output|output_dense)$/.test(part)
      ? ["in", ...inner.fill("in"), "out"]
      : ["in", ...inner.fill("out"), "out"];
  }
  return [...taps, "in", "out"];
}

/** [positions, taps · in, out], a kernel for each position. */
function localLayout(shape: readonly number[], { kernelSize }: KernelHints): WeightLayout | null {
  const [positions, window, out] = shape;
  const taps = elementCount(kernelSize ?? []);
  if (shape.length !== 3 || taps < 1 || window! % taps !== 0) return null;
  return weightLayout([positions!, taps, window! / taps, out!], ["tap", "tap", "in", "out"]);
}

/** `abc,cde->abde`: an axis of the kernel that the input has too is `in`, one that the output has `out`, one of both a group. */
function equationRoles(equation: string, axes: number): AxisRole[] | null {
  const [input = "", kernel = "", output = ""] = equation.replaceAll(" ", "").split(/,|->/);
  if (kernel.length !== axes || kernel.includes(".")) return null;
  const roles = kernel.split("").map((letter): AxisRole => {
    const isIn = input.includes(letter);
    if (isIn && output.includes(letter)) return "group";
    return isIn ? "in" : "out";
  });
  return roles;
}
