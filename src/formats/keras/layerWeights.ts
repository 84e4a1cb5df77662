/** Which stored weights a layer of the configuration has, and what each of them is to it. */
import type { StoredTensor } from "../../model/model.ts";
import type { KerasLayer, KerasNetwork } from "../kerasConfig.ts";
import { textOf } from "../kerasConfig.ts";
import { namedVariable, type KerasVariable } from "../kerasKernels.ts";
import type { KerasWeights } from "../kerasTopology.ts";
import { classOfGroup, numberedVariable, snakeCase } from "../kerasVariables.ts";
import type { KerasWeight, StoredWeights } from "./storedWeights.ts";

/** The tensors of groups that list their weights by name: a model inside a model has its layers' weights in its own group. */
export function namedLayerWeights(
  groups: ReadonlyMap<string, readonly StoredTensor[]>,
): KerasWeights {
  return (layer, parents) => {
    const [outermost] = parents;
    if (outermost === undefined) return groups.get(layer) ?? [];
    const stored = groups.get(outermost) ?? [];
    const own = stored.filter(({ name }) => name.split("/").slice(0, -1).includes(layer));
    const inner = parents.slice(1);
    const nested = own.filter(({ name }) =>
      inner.every((parent) => name.split("/").includes(parent)),
    );
    return nested.length > 0 ? nested : own;
  };
}

interface Mapped {
  readonly group: string;
  readonly layer: KerasLayer;
}

/**
 * The groups of numbered variables by layer. A group is called after the class, with the count of layers of that class before
 * it in the same model, in the order of the configuration; newer files note the layer's own name beside.
 */
export function numberedGroups(
  network: KerasNetwork,
  stored: StoredWeights,
): ReadonlyMap<string, Mapped> {
  const mapped = new Map<string, Mapped>();
  const filled = new Set(stored.weights.flatMap(({ group }) => prefixesOf(plainGroup(group))));
  const byName = new Map<string, string[]>();
  const namesOf = new Map<string, string>();
  for (const [group, name] of stored.layerNames) {
    byName.set(name, [...(byName.get(name) ?? []), plainGroup(group)]);
    namesOf.set(plainGroup(group), name);
  }
  const walk = (inside: KerasNetwork, prefix: string, parents: readonly string[]): void => {
    const counts = new Map<string, number>();
    for (const layer of inside.layers) {
      if (layer.isOperation) continue;
      const base = snakeCase(layer.className);
      const count = counts.get(base) ?? 0;
      counts.set(base, count + 1);
      const counted = `${prefix}layers/${count === 0 ? base : `${base}_${count}`}`;
      const noted = byName.get(layer.name) ?? [];
      const other = namesOf.get(counted);
      const candidates = [
        ...noted.filter((group) => parentOf(group) === `${prefix}layers`),
        // A group that notes another name is another layer's: this one stands elsewhere, shared.
        ...(other === undefined || other === layer.name ? [counted] : []),
        ...noted,
        `${prefix}layers/${layer.name}`,
        `${prefix}${layer.name}`,
      ];
      const group = candidates.find((one) => filled.has(one)) ?? counted;
      mapped.set(keyOf(layer.name, parents), { group, layer });
      if (layer.model === null) continue;
      const isWrapped = filled.has(`${group}/layer`);
      walk(layer.model, `${group}/${isWrapped ? "layer/" : ""}`, [...parents, layer.name]);
    }
  };
  walk(network, "", []);
  return mapped;
}

/** The weights of each layer under its group; of a layer that two models share, where the first of them has it. */
export function numberedLayerWeights(
  mapped: ReadonlyMap<string, Mapped>,
  tensors: ReadonlyMap<KerasWeight, StoredTensor>,
): KerasWeights {
  const under = (group: string): StoredTensor[] =>
    Array.from(tensors)
      .filter(([weight]) => isUnder(plainGroup(weight.group), group))
      .map(([, tensor]) => tensor);
  return (layer, parents) => {
    const own = mapped.get(keyOf(layer, parents));
    const found = own === undefined ? [] : under(own.group);
    if (found.length > 0) return found;
    for (const other of mapped.values()) {
      if (other.layer.name !== layer) continue;
      const shared = under(other.group);
      if (shared.length > 0) return shared;
    }
    return [];
  };
}

/** What each numbered variable is, by the class of its layer where a configuration says it, else by the group's own name. */
export function numberedVariables(
  { weights }: StoredWeights,
  mapped: ReadonlyMap<string, Mapped>,
): ReadonlyMap<KerasWeight, KerasVariable> {
  const classes = new Map<string, string>();
  const configs = new Map<string, KerasLayer["config"]>();
  for (const { group, layer } of mapped.values()) {
    classes.set(group, snakeCase(layer.className));
    configs.set(group, layer.config);
    const inner = textOf(layer.config["layer"], "class_name");
    if (inner !== null) classes.set(`${group}/layer`, snakeCase(inner));
  }
  const first = new Map<string, KerasWeight>();
  for (const weight of weights) if (!first.has(weight.group)) first.set(weight.group, weight);
  return new Map(
    weights.map((weight) => {
      const group = plainGroup(weight.group);
      const known = classes.get(group) ?? classOfGroup(group.slice(group.lastIndexOf("/") + 1));
      const index = Number(/(?:^|\/)vars\/(\d+)$/.exec(weight.name)?.[1] ?? NaN);
      const part = group;
      if (Number.isNaN(index)) return [weight, { ...namedVariable(weight), part }];
      const isVector = first.get(weight.group)!.array.shape.length === 1;
      const byOrder = /(^|_)cell$/.test(known) ? "rnn" : known;
      const variable = numberedVariable(byOrder, index, configs.get(group));
      // A first variable of one axis is no kernel.
      const isScale = isVector && numberedVariable(byOrder, 0) === "kernel";
      return [
        weight,
        { variable: isScale ? numberedVariable("layer_normalization", index) : variable, part },
      ];
    }),
  );
}

/** An early Keras 3 called the groups of layers otherwise. */
function plainGroup(group: string): string {
  return group.replaceAll("_layer_checkpoint_dependencies", "layers");
}

function isUnder(group: string, above: string): boolean {
  return group === above || group.startsWith(`${above}/`);
}

function parentOf(group: string): string {
  return group.slice(0, Math.max(0, group.lastIndexOf("/")));
}

function prefixesOf(group: string): string[] {
  const parts = group.split("/");
  return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
}

function keyOf(layer: string, parents: readonly string[]): string {
  return JSON.stringify([...parents, layer]);
}
