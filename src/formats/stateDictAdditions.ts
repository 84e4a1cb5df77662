/**
 * Biases and batch normalisations of a state dict, by the names beside each weight. A bias stands under the weight's own prefix. A
 * batch normalisation is tied to the one weight layer of its module that has its number (`conv1`, `bn1`) or, in a sequence, the number
 * before (`0`, `1`), and its size; nothing in the file says so, hence `basis: "name"`.
 */
import type { ChannelNormalisation, StoredTensor, WeightLayer } from "../model/model.ts";

/** Of PyTorch and of Keras, which do not store them. */
const epsilons = { running: 1e-5, moving: 1e-3 } as const;

export function withAdditions(
  layers: readonly WeightLayer[],
  tensors: readonly StoredTensor[],
): WeightLayer[] {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const normalisations = normalisationsOf(layers, byName);
  return layers.map((layer) => {
    const bias = biasOf(layer, byName);
    const normalisation = normalisations.get(layer);
    return {
      ...layer,
      ...(bias !== undefined && { bias }),
      ...(normalisation && { normalisation }),
    };
  });
}

/** Null where the weight stands by itself under its prefix; undefined where names or sizes say nothing. */
function biasOf(
  { tensor, kind, out }: WeightLayer,
  byName: ReadonlyMap<string, StoredTensor>,
): StoredTensor | null | undefined {
  if (kind.startsWith("recurrent") || !/(^|[./_])(weight|kernel)(:0)?$/.test(tensor.name)) {
    return undefined;
  }
  const bias = byName.get(tensor.name.replace(/(weight|kernel)(:0)?$/, "bias$2"));
  if (bias === undefined) return null;
  return bias.shape.length === 1 && bias.shape[0] === out ? bias : undefined;
}

function normalisationsOf(
  layers: readonly WeightLayer[],
  byName: ReadonlyMap<string, StoredTensor>,
): ReadonlyMap<WeightLayer, ChannelNormalisation> {
  const found = new Map<WeightLayer, ChannelNormalisation>();
  const doubtful = new Set<WeightLayer>();
  for (const [name, mean] of byName) {
    const [, prefix = "", dot = "", kind] =
      /^(.*?)([./]?)(running|moving)_mean(?::0)?$/.exec(name) ?? [];
    if (kind !== "running" && kind !== "moving") continue;
    const vector = (...names: readonly string[]): StoredTensor | null =>
      names.map((own) => byName.get(`${prefix}${dot}${own}`)).find((own) => own !== undefined) ??
      null;
    const variance = vector(`${kind}_var`, `${kind}_variance`);
    const size = mean.shape[0];
    const own = layers.filter((layer) => precedes(placeOf(layer.tensor.name), prefix));
    const [layer] = own;
    if (variance === null || own.length !== 1 || layer!.out !== size) continue;
    if (found.has(layer!)) doubtful.add(layer!);
    const scale = vector("weight", "gamma", "scale");
    const shift = vector("bias", "beta");
    const epsilon = epsilons[kind];
    found.set(layer!, { scale, shift, mean, variance, epsilon, basis: "name" });
  }
  for (const layer of doubtful) found.delete(layer);
  return found;
}

/** Name of the module that a weight is of. */
function placeOf(name: string): string {
  return name.replace(/[./]?[^./]*$/, "");
}

function precedes(layer: string, normalisation: string): boolean {
  const own = partsOf(layer);
  const other = partsOf(normalisation);
  if (own.parent !== other.parent || layer === normalisation) return false;
  if (own.word === "" || other.word === "") {
    return own.word === other.word && Number(other.number) === Number(own.number) + 1;
  }
  return own.number === other.number;
}

/** `block.conv1`: of `block`, `conv`, 1. */
function partsOf(name: string): { parent: string; word: string; number: string } {
  const [, parent = "", last = ""] = /^(.*?)([^./]*)$/.exec(name) ?? [];
  const [, word = "", number = ""] = /^(.*?)(\d*)$/.exec(last) ?? [];
  return { parent, word, number };
}
