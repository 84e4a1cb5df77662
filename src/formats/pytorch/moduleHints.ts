/** What a pickled module says of its tensors: of which class the owner is, and the attributes that give a kernel its meaning. */
import type { StoredTensor, TensorRole, WeightKind, WeightLayer } from "../../model/model.ts";
import { weightLayout, type AxisRole } from "../../tensor/layout.ts";
import type { TensorHint } from "../stateDict.ts";
import type { ModuleInfo, NamedTensor } from "./moduleTree.ts";

/** Null for a tensor of a state dict, of which its name and shape have to tell. */
export function moduleHint({ name, record, owner, kind }: NamedTensor): TensorHint | null {
  if (record.data.kind === "none") return { role: "unknown" };
  if (kind === "constant") return { role: "constant" };
  if (owner === null) return kind === "buffer" ? bufferHint(name) : null;
  const own = name.slice(name.lastIndexOf(".") + 1);
  const isNorm = isNormalisation(owner);
  const isVector = record.shape.length <= 1;
  if (isNorm && own !== "num_batches_tracked") return { role: "normalisation" };
  if (kind === "buffer") return { role: "constant" };
  const op = className(owner);
  const layerOf = isVector ? null : layerMaker(owner, own);
  if (layerOf === null)
    return { ...(isVector && isBias(own) && { role: "bias" as TensorRole }), op };
  return { role: "weight", op, layer: (tensor) => layerOf(tensor, op) };
}

/** Of an exported program, which says no classes: statistics are told by their names. */
function bufferHint(name: string): TensorHint | null {
  return /(^|\.)running_(mean|var)$/.test(name) ? null : { role: "constant" };
}

/** Scales and zero points of quantised activations, which stand beside each other. */
export function quantiserHints(names: readonly string[]): ReadonlyMap<string, TensorHint> {
  const all = new Set(names);
  const scales = names.filter(
    (name) => /(^|\.)scale$/.test(name) && all.has(name.replace(/scale$/, "zero_point")),
  );
  return new Map(scales.map((name) => [name, { role: "constant" }]));
}

/** `Conv2d` */
export function className({ className: path }: ModuleInfo): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

export function isNormalisation(owner: ModuleInfo): boolean {
  if (/(Batch|Layer|Group|Instance|RMS|LocalResponse)_?Norm/i.test(className(owner))) return true;
  const has = (key: string): boolean => owner.attributes.has(key);
  return has("eps") && (has("num_features") || has("normalized_shape") || has("num_groups"));
}

function isBias(own: string): boolean {
  return /(^|_)bias(_|$)/.test(own);
}

type LayerMaker = (tensor: StoredTensor, op: string) => WeightLayer | null;

/** Null for a module whose weights have no known meaning. */
function layerMaker(owner: ModuleInfo, own: string): LayerMaker | null {
  const type = className(owner);
  const has = (key: string): boolean => owner.attributes.has(key);
  if (has("kernel_size") && has("groups")) {
    const groups = owner.attributes.get("groups");
    const isTransposed = owner.attributes.get("transposed") === true;
    return own === "weight" && typeof groups === "number"
      ? convolution(groups, isTransposed)
      : null;
  }
  if (/^ConvTranspose[123]d$/.test(type)) return own === "weight" ? convolution(1, true) : null;
  if (has("num_embeddings") || /^Embedding(Bag)?$/.test(type)) {
    return own === "weight" ? matrix("embedding", ["in", "out"]) : null;
  }
  if ((has("hidden_size") && has("input_size")) || /^(LSTM|GRU|RNN)(Cell)?$/.test(type)) {
    if (own.startsWith("weight_ih")) return matrix("recurrent_W", ["out", "in"]);
    if (own.startsWith("weight_hh")) return matrix("recurrent_R", ["out", "in"]);
  }
  return null;
}

const matrix =
  (kind: WeightKind, roles: readonly AxisRole[]): LayerMaker =>
  (tensor, op) =>
    tensor.shape.length === 2 ? layer({ tensor, op, kind, split: tensor.shape, roles }) : null;

/** [out, in / groups, ...kernel]; transposed [in, out / groups, ...kernel]. */
const convolution =
  (groups: number, isTransposed: boolean): LayerMaker =>
  (tensor, op) => {
    const [first = 0, second = 0, ...kernel] = tensor.shape;
    if (!Number.isSafeInteger(groups) || groups < 1 || first % groups !== 0) return null;
    const taps = kernel.map((): AxisRole => "tap");
    const pair: AxisRole[] = isTransposed ? ["in", "out"] : ["out", "in"];
    if (groups === 1) {
      const kind = isTransposed ? "conv_transpose" : "torch_conv";
      return layer({ tensor, op, kind, split: tensor.shape, roles: [...pair, ...taps] });
    }
    const split = [groups, first / groups, second, ...kernel];
    const perGroup = isTransposed ? first / groups : second;
    const plain = isTransposed ? "conv_transpose" : "torch_conv";
    const kind = perGroup === 1 && !isTransposed ? "depthwise" : plain;
    return layer({ tensor, op, kind, split, roles: ["group", ...pair, ...taps] });
  };

function layer(own: {
  readonly tensor: StoredTensor;
  readonly op: string;
  readonly kind: WeightKind;
  readonly split: readonly number[];
  readonly roles: readonly AxisRole[];
}): WeightLayer {
  const { tensor, op, kind, split, roles } = own;
  const layout = weightLayout(split, roles);
  return {
    name: tensor.name,
    op,
    kind,
    tensor,
    in: layout.groups * layout.inPerGroup,
    out: layout.groups * layout.outPerGroup,
    layout,
    sendersKnown: layout.groups === 1,
  };
}
