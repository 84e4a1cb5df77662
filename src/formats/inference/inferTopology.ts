/**
 * Topology of a file that has none: families of networks are known by the names of their modules, believed where the shapes fit,
 * and everything else is chained by order and shape. Each wire says on which of the two it rests.
 */
import type { ModelWarning, WeightLayer } from "../../model/model.ts";
import type { Topology } from "../../model/topology.ts";
import { factsOf, isTable } from "./facts.ts";
import { layPlan } from "./layPlan.ts";
import { moduleTree, type ModuleOrder, type NamedTensor } from "./moduleTree.ts";
import { newPlan, type Plan } from "./signal.ts";
import { walkModules } from "./walkModules.ts";
import type { AttentionHints } from "./walker.ts";

export interface InferredTopology {
  /** In the order in which they were wired, then what is no weight between neurons. */
  readonly layers: readonly WeightLayer[];
  readonly topology: Topology;
  readonly warnings: readonly ModelWarning[];
  /** Names of the layers before which a new source began. */
  readonly breaks: readonly string[];
}

/** A tensor of one axis (`layer` is null), or a layer of two and more, [out, in, …taps]. */
export interface StoredName {
  readonly name: string;
  readonly layer: WeightLayer | null;
  readonly size: number;
  /** False for a layer that is listed and connects nothing: a scale of packed weights. @defaultValue true */
  readonly connects?: boolean;
}

export interface InferenceOptions {
  readonly hints?: readonly AttentionHints[];
  /** False where all matrices may be [in, out]: then no single one is turned by its bias. @defaultValue true */
  readonly isOriented?: boolean;
}

/** Modules are tried at each depth of the tree, and again where they did not fit. */
const trialsPerWeight = 20;
const mostTrials = 400_000;
/** With more weights than this, one order of modules is tried. */
const largest = 5000;

/** `stored`: in the order of the file. Null where more would have to be tried than any network needs. */
export function inferTopology(
  stored: readonly StoredName[],
  { hints = [], isOriented = true }: InferenceOptions = {},
): InferredTopology | null {
  const layers = stored.flatMap(({ layer }) => layer ?? []);
  const tensors = namedTensors(stored);
  const count = layers.length;
  const isSorted = areSorted(layers.map(({ name }) => name));
  const orders: ModuleOrder[] = isSorted ? ["name", "file", "number"] : ["file", "name", "number"];
  let best: Drawn | null = null;
  for (const order of orders) {
    const root = moduleTree(tensors, order);
    const plan = newPlan(Math.min(trialsPerWeight * count, mostTrials) + 1000);
    walkModules(
      root,
      plan,
      factsOf(root, { isSorted: isSorted || order !== "file", hints, isOriented }),
    );
    if (plan.isExhausted()) continue;
    if (best === null || plan.breaks.length < best.plan.breaks.length) best = { plan, order };
    if (plan.breaks.length === 0 || count > largest) break;
  }
  return best && inferred(layers, best);
}

/** A plan and the order of modules that led to it. */
interface Drawn {
  readonly plan: Plan;
  readonly order: ModuleOrder;
}

const orderNames: Record<ModuleOrder, string> = {
  file: "file order",
  name: "natural order of names",
  number: "order of the numbers in names",
};

function namedTensors(stored: readonly StoredName[]): NamedTensor[] {
  let index = 0;
  return stored.flatMap(({ name, layer, size, connects = true }): NamedTensor[] => {
    if (layer === null) return [{ name, weight: null, size }];
    const weight = { index: index++, layer, shape: layer.tensor.shape };
    return isTable(name) || !connects ? [] : [{ name, weight, size }];
  });
}

function areSorted(names: readonly string[]): boolean {
  return names.length > 1 && names.every((name, i) => i === 0 || names[i - 1]! <= name);
}

function inferred(layers: readonly WeightLayer[], { plan, order: by }: Drawn): InferredTopology {
  const order = new Set(
    plan.placements.flatMap(({ weight, past }) =>
      past === null ? [weight.index] : [weight.index, past.weight.index],
    ),
  );
  layers.forEach((_, index) => order.add(index));
  const indices = [...order];
  const at = new Map(indices.map((index, i) => [index, i]));
  return {
    layers: indices.map((index) => layers[index]!),
    topology: lazyTopology(() => layPlan(plan, (index) => at.get(index)!)),
    warnings: layers.length === 0 ? [] : [warningOf(layers, plan, orderNames[by])],
    breaks: plan.breaks,
  };
}

/** Neurons are numbered when first asked for: a list of layers does without them. */
function lazyTopology(lay: () => Topology): Topology {
  let laid: Topology | null = null;
  return {
    certainty: "inferred",
    get layers() {
      return (laid ??= lay()).layers;
    },
    get wires() {
      return (laid ??= lay()).wires;
    },
    get attention() {
      return (laid ??= lay()).attention;
    },
  };
}

function warningOf(layers: readonly WeightLayer[], plan: Plan, order: string): ModelWarning {
  const count = (basis: string): number =>
    plan.placements.filter((placement) => placement.basis === basis).length;
  const placed = new Set(plan.placements.flatMap(({ weight, past }) => [weight, past?.weight]));
  const left = layers.length - [...placed].filter((weight) => weight !== undefined).length;
  const { breaks } = plan;
  const named = breaks.slice(0, 8).join(", ") + (breaks.length > 8 ? ", …" : "");
  const parts = [
    `${count("name")} wired by name and shape`,
    `${count("shape")} by shape alone in ${order}`,
    breaks.length === 0
      ? "all of them fit"
      : `${breaks.length} new source layers where nothing fitted: before ${named}`,
    ...(left > 0 ? [`${left} tables, masks or scales not wired`] : []),
  ];
  const message = `the file does not say how its layers connect: ${parts.join(", ")}`;
  return { code: "TOPOLOGY_INFERRED", message };
}
