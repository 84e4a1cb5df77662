/**
 * The tree of modules that dotted names spell: `layers.0.mlp.fc1.weight` is the weight of module `fc1` in `mlp` in `0`.
 */
import type { WeightLayer } from "../../model/model.ts";
import { naturalOrder } from "../../model/naturalOrder.ts";
import type { Shape } from "../../tensor/shape.ts";
import { rankOf } from "./families.ts";

/** A tensor of two and more axes that may connect neurons. */
export interface Weight {
  /** Index into the layers that were given. */
  readonly index: number;
  readonly layer: WeightLayer;
  readonly shape: Shape;
}

export interface ModuleNode {
  readonly name: string;
  readonly path: string;
  readonly children: readonly ModuleNode[];
  /** Its own weights by part: `weight`, `weight_ih_l0`. */
  readonly weights: ReadonlyMap<string, Weight>;
  /** Sizes of its own vectors by part: `bias`, `weight` of a normalisation, `running_mean`. */
  readonly vectors: ReadonlyMap<string, number>;
  /** Weights here and below. */
  readonly weightCount: number;
}

/** A tensor's place among the names: a weight, or a vector of so many elements. */
export interface NamedTensor {
  readonly name: string;
  readonly weight: Weight | null;
  readonly size: number;
}

/** Deeper than any network; the rest of a longer name is one segment. */
const depthLimit = 24;

interface Draft {
  readonly name: string;
  readonly path: string;
  readonly children: Map<string, Draft>;
  readonly weights: Map<string, Weight>;
  readonly vectors: Map<string, number>;
}

/**
 * How the modules beside one another are ordered: as in the file; by what their names say of their place, then with numbers as
 * numbers; or by the last number of their names first (`block1`, `pool1`, `block2`).
 */
export type ModuleOrder = "file" | "name" | "number";

export function moduleTree(tensors: readonly NamedTensor[], order: ModuleOrder): ModuleNode {
  const root = draft("", "");
  for (const { name, weight, size } of tensors) {
    const { path, part } = placeOf(name, weight === null ? partOfVector : partOfWeight);
    const node = draftAt(root, path);
    if (weight === null) node.vectors.set(part, size);
    else node.weights.set(node.weights.has(part) ? name : part, weight);
  }
  return finished(root, order);
}

function draft(name: string, path: string): Draft {
  return { name, path, children: new Map(), weights: new Map(), vectors: new Map() };
}

function draftAt(root: Draft, path: readonly string[]): Draft {
  let node = root;
  for (const name of path) {
    let next = node.children.get(name);
    if (next === undefined) {
      next = draft(name, node.path === "" ? name : `${node.path}.${name}`);
      node.children.set(name, next);
    }
    node = next;
  }
  return node;
}

function finished(node: Draft, order: ModuleOrder): ModuleNode {
  const children = [...node.children.values()].map((child) => finished(child, order));
  if (order !== "file") {
    const rank = ({ name, weights }: ModuleNode): number => rankOf(name, weights.size > 0);
    const number = ({ name }: ModuleNode): number =>
      order === "number" ? Number(/(\d+)\D*$/.exec(name)?.[1] ?? 0) : 0;
    children.sort(
      (a, b) => rank(a) - rank(b) || number(a) - number(b) || naturalOrder(a.name, b.name),
    );
  }
  const { name, path, weights, vectors } = node;
  const below = children.reduce((sum, child) => sum + child.weightCount, 0);
  return { name, path, children, weights, vectors, weightCount: weights.size + below };
}

/** Wrappers of a parameter that keep its module's name. */
const wrappers: readonly (readonly [RegExp, string])[] = [
  [/\.parametrizations\.(\w+)\.original1?$/, ".$1"],
  [/\.(weight)_(?:v|orig)$/, ".$1"],
  [/\.(lora_[AB])\.(?:default|weight)(?:\.weight)?$/, ".$1.weight"],
  [/\.base_layer\.(\w+)$/, ".$1"],
];

function placeOf(
  name: string,
  partOf: (last: string) => string | null,
): { path: string[]; part: string } {
  const plain = wrappers.reduce((own, [pattern, by]) => own.replace(pattern, by), name);
  const segments = plain.split(/[./]/);
  const short = segments.slice(0, depthLimit);
  if (segments.length > depthLimit) short.push(segments.slice(depthLimit).join("."));
  const last = short.pop()!;
  const part = partOf(last);
  if (part !== null) return { path: short, part };
  const underscored = /^(.+)_(weight|bias|kernel)(?::0)?$/.exec(last);
  return underscored === null
    ? { path: [...short, last], part: "weight" }
    : { path: [...short, underscored[1]!], part: underscored[2] === "bias" ? "bias" : "weight" };
}

function partOfWeight(last: string): string | null {
  if (/^(?:weight|kernel)(?::0)?$/.test(last)) return "weight";
  return /^weight_(?:ih|hh|hr)(?:_l\d+)?(?:_reverse)?$/.test(last) ? last : null;
}

function partOfVector(last: string): string | null {
  if (/^(?:weight|scale|gamma|g)$/.test(last)) return "weight";
  return /_(?:weight|bias)$/.test(last) && !last.startsWith("bias_") ? null : last;
}

/** Of the paths that rules ask for again and again. */
const splitPaths = new Map<string, readonly string[]>();

/** The module at a dotted path below `node`, whose every step must exist. */
export function find(node: ModuleNode, path: string): ModuleNode | null {
  let at: ModuleNode | undefined = node;
  let steps = splitPaths.get(path);
  if (steps === undefined) splitPaths.set(path, (steps = path.split(".")));
  for (const name of steps) {
    at = at.children.find((child) => child.name === name);
    if (at === undefined) return null;
  }
  return at;
}

/** The module's one weight, if it is no more than that. */
export function leafWeight(node: ModuleNode): Weight | null {
  return node.weightCount === 1 ? (node.weights.get("weight") ?? null) : null;
}

/** Modules that hold a weight of their own, in order. */
export function leavesOf(node: ModuleNode): ModuleNode[] {
  const below = node.children.flatMap(leavesOf);
  return node.weights.size > 0 ? [node, ...below] : below;
}
