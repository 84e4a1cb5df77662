/** Modules that are one layer: a matrix, a kernel, an adapter beside it, a recurrent layer. */
import { stems } from "./families.ts";
import { leafWeight, type ModuleNode, type Weight } from "./moduleTree.ts";
import type { Signal } from "./signal.ts";
import type { Rule, Scope, Walker } from "./walker.ts";

export const plainLayer: Rule = (node, from, walker, scope) => {
  const weight = leafWeight(node);
  if (weight === null) return null;
  const upright = (): Signal | null => placed(weight, node, from, { walker, scope });
  if (!mayBeTransposed(weight)) return upright();
  // Kernels of an even size may fit the other way round alone: by what is before them, or what follows.
  const [rows, columns] = weight.shape;
  const next = scope.expect;
  const follows = next === null || columns === next;
  const isTurned =
    from.size === null ? columns === next && rows !== next : rows === from.size && follows;
  if (!isTurned || (columns === from.size && (next === null || rows === next))) return upright();
  return walker.plan.place(weight, from, { basis: scope.basis, rowsSend: true });
};

function mayBeTransposed({ layer, shape }: Weight): boolean {
  const kernel = shape.slice(2);
  return layer.op === null && kernel.length > 0 && kernel.every((size) => size % 2 === 0);
}

/** Kernels of blocks that are known to come in groups: ResNeXt, RegNet. */
const groupedKernels = /(?:^|\.)(?:conv2(?:\.conv)?|f\.b\.0|conv_grp|grouped_conv)$/;

function placed(
  weight: Weight,
  node: ModuleNode,
  from: Signal,
  { walker: { plan, facts }, scope }: { walker: Walker; scope: Scope },
): Signal | null {
  const rowsSend = facts.rowsSend(weight, node, from.size);
  const mayGroup = scope.basis === "name" && groupedKernels.test(node.path);
  const grouped = mayGroup ? "any" : "depthwise";
  return plan.place(weight, from, { basis: scope.basis, rowsSend, grouped });
}

/** The names of the two factors of a low-rank adapter. */
const adapters: readonly (readonly [string, string])[] = [
  ["lora_A", "lora_B"],
  ["lora_down", "lora_up"],
  ["lora_a", "lora_b"],
];

/** An adapter reads what its layer reads and adds to what that puts out; without the layer it stands for it. */
export const lowRankAdapter: Rule = (node, from, walker, scope) => {
  const child = (name: string): ModuleNode | undefined =>
    node.children.find((own) => own.name === name);
  const pair = adapters.find(([down, up]) => child(down) && child(up));
  if (pair === undefined) return null;
  const named: Scope = { ...scope, basis: "name" };
  const weight = node.weights.get("weight");
  const base = weight && placed(weight, node, from, { walker, scope });
  if (base === null) return null;
  const low = walker.fit(child(pair[0])!, from, named);
  const output = low && walker.fit(child(pair[1])!, low, named);
  if (output === null || base === undefined) return output;
  return output.size === base.size ? walker.plan.sum([base, output]) : null;
};

/** `weight_ih_l0`, `weight_hh_l0` and their `_reverse`: each layer reads both directions of the one below. */
export const recurrentStack: Rule = (node, from, { plan }) => {
  if (![...node.weights.keys()].some((part) => part.startsWith("weight_ih"))) return null;
  if ([...node.weights.keys()].some((part) => part.startsWith("weight_hr"))) return null;
  const direction = (suffix: string, at: Signal): Signal | null => {
    const weight = node.weights.get(`weight_ih${suffix}`);
    const past = node.weights.get(`weight_hh${suffix}`);
    if (weight === undefined || past === undefined || !areGates(weight, past)) return null;
    return plan.placeGated({ weight, past }, at, "name");
  };
  if (node.weights.has("weight_ih")) return direction("", from);
  let at = from;
  for (let level = 0; node.weights.has(`weight_ih_l${level}`); level++) {
    const forward = direction(`_l${level}`, at);
    if (forward === null) return null;
    const reversed = node.weights.has(`weight_ih_l${level}_reverse`);
    const backward = reversed ? direction(`_l${level}_reverse`, at) : null;
    if (reversed && backward === null) return null;
    at = backward === null ? forward : plan.concat([forward, backward]);
  }
  return at === from ? null : at;
};

function areGates(weight: Weight, past: Weight): boolean {
  const [rows, units] = past.shape;
  const isMatrix = past.shape.length === 2 && weight.shape.length === 2;
  return isMatrix && units! > 0 && weight.shape[0] === rows && [1, 3, 4].includes(rows! / units!);
}

/** The first layer of an image or a sound that a network reads besides what came before. */
export const secondInput: Rule = (node, from, walker, scope) => {
  const [leaf] = node.weightCount === 0 ? [] : [firstOf(node)];
  const channels = leaf?.shape[1];
  const isStem =
    leaf !== undefined && leaf.shape.length > 2 && channels! <= 4 && stems.test(node.name);
  if (!isStem || from.size === null || from.size === channels) return null;
  return walker.sequence(node, walker.plan.source(`input of ${node.path}`, channels!), scope);
};

function firstOf(node: ModuleNode): Weight | undefined {
  const [own] = node.weights.values();
  return own ?? node.children.map(firstOf).find((weight) => weight !== undefined);
}
