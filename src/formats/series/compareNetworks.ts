/** Whether two checkpoints hold the same network, whatever their formats call its layers. */
import { FormatError } from "../../errors.ts";
import type { Model, WeightLayer } from "../../model/model.ts";
import { sameShape } from "../../tensor/shape.ts";
import { listed } from "./seriesFile.ts";

/**
 * `model` in the words of `first`: where layers are called otherwise, it is told and they get the names of the first, so that
 * measures by layer can be followed. Layers are compared by name where the names are the same, else by place; of one format by
 * their stored shape, of two by the neurons that they connect, since formats store them turned.
 * @throws {FormatError} `SERIES_MISMATCH`
 */
export function asSameNetwork(
  model: Model,
  first: Model,
  names: { readonly own: string; readonly first: string },
): Model {
  const mismatch = (message: string): never => {
    throw new FormatError("SERIES_MISMATCH", `another network than in ${names.first}: ${message}`, {
      path: [names.own],
      hint: "Keep the checkpoints of one run in a folder of their own.",
    });
  };
  const { layers } = model;
  if (layers.length !== first.layers.length) {
    const known = new Set(first.layers.map(({ name }) => name));
    const added = layers.filter(({ name }) => !known.has(name)).map(({ name }) => name);
    const own = new Set(layers.map(({ name }) => name));
    const gone = first.layers.filter(({ name }) => !own.has(name)).map(({ name }) => name);
    const which = [
      added.length > 0 ? `new: ${listed(added)}` : "",
      gone.length > 0 ? `gone: ${listed(gone)}` : "",
    ].filter((text) => text !== "");
    const told = which.length > 0 ? ` (${which.join("; ")})` : "";
    return mismatch(`${layers.length} layers for ${first.layers.length}${told}`);
  }
  const pairs = pairsOf(layers, first.layers);
  const isSameFormat = model.format === first.format;
  for (const [own, other] of pairs) {
    const isSame = isSameFormat
      ? sameShape(own.tensor.shape, other.tensor.shape)
      : sameShape(connected(own), connected(other));
    if (isSame) continue;
    mismatch(
      `${own.name} is ${shapeText(own, isSameFormat)}, ${other.name} there ${shapeText(other, isSameFormat)}`,
    );
  }
  if (pairs.some(([, other], i) => other !== first.layers[i]) && pairs.every(haveSameLayout)) {
    // The same tensors in another order, as a sorted file has them: connected as in the first.
    const ownOf = new Map(pairs.map(([own, other]) => [other, own]));
    return {
      ...model,
      layers: first.layers.map((layer) => ownOf.get(layer)!),
      topology: first.topology,
    };
  }
  const renamed = pairs.filter(([own, other]) => own.name !== other.name);
  const sizes = ({ topology }: Model): number[] => topology.layers.map(({ size }) => size);
  if (!sameShape(sizes(model), sizes(first))) {
    mismatch(`layers of ${sizes(model).join(" - ")} neurons, there ${sizes(first).join(" - ")}`);
  }
  const topology = {
    ...model.topology,
    layers: model.topology.layers.map((layer, i) => ({
      ...layer,
      name: first.topology.layers[i]!.name,
    })),
  };
  if (renamed.length === 0) return { ...model, topology };
  const changes = listed(renamed.map(([own, other]) => `${other.name} is ${own.name}`));
  const message =
    `${renamed.length} of ${layers.length} layers are called otherwise than in ${names.first}: ${changes}; ` +
    "taken for the same, since order and shapes agree";
  return {
    ...model,
    topology,
    layers: pairs.map(([own, other]) => ({ ...own, name: other.name })),
    warnings: [...model.warnings, { code: "SERIES_RENAMED", message }],
  };
}

function pairsOf(
  layers: readonly WeightLayer[],
  first: readonly WeightLayer[],
): (readonly [WeightLayer, WeightLayer])[] {
  const byName = new Map(first.map((layer) => [layer.name, layer]));
  const hasSameNames =
    byName.size === layers.length && layers.every(({ name }) => byName.has(name));
  return layers.map((layer, i) => [layer, hasSameNames ? byName.get(layer.name)! : first[i]!]);
}

function haveSameLayout([own, other]: readonly [WeightLayer, WeightLayer]): boolean {
  const roles = other.layout.roles;
  return (
    sameShape(own.layout.split, other.layout.split) &&
    own.layout.roles.every((role, axis) => role === roles[axis])
  );
}

/** Receiving neurons, and weights in all: what no turning of a tensor changes. */
function connected({ out, layout }: WeightLayer): number[] {
  const { groups, outPerGroup, inPerGroup, taps } = layout;
  return [out, groups * outPerGroup * inPerGroup * taps];
}

function shapeText({ tensor, in: senders, out }: WeightLayer, isStored: boolean): string {
  return isStored ? `[${tensor.shape.join(", ")}]` : `${senders} to ${out} neurons`;
}
