/** How many neurons a module takes in and puts out, by the weights it begins and ends with. */
import { positionTables } from "./families.ts";
import { leafWeight, leavesOf, type ModuleNode, type Weight } from "./moduleTree.ts";
import { besidesUnits, isBlock, unitsOf, type Unit } from "./units.ts";
import type { Facts } from "./walker.ts";

type RowsSend = Facts["rowsSend"];

export function inOf(node: ModuleNode, rowsSend: RowsSend): number | null {
  const leaf = firstLeaf(node);
  const weight = leaf === null ? null : weightOf(leaf);
  if (leaf === null || weight === null) return null;
  return sendersOf(weight, rowsSend(weight, leaf, null));
}

function sendersOf({ layer: { layout } }: Weight, rowsSend: boolean): number {
  return layout.groups * (rowsSend ? layout.outPerGroup : layout.inPerGroup);
}

export function outOf(node: ModuleNode, rowsSend: RowsSend): number | null {
  const own = node.weights.get("weight");
  const leaf = own === undefined ? leavesOf(node).at(-1) : node;
  const weight = leaf === undefined ? null : weightOf(leaf);
  if (leaf === undefined || weight === null) return null;
  return sendersOf(weight, !rowsSend(weight, leaf, null));
}

/** The width of a module's first weight, or of its normalisation if it has none; a kernel of one channel may be depthwise. */
export function expected(node: ModuleNode, rowsSend: RowsSend): number | null {
  const scale = node.vectors.get("weight");
  if (node.weights.size === 0 && scale !== undefined) return scale;
  const units = unitsOf(node);
  const [unit] = units;
  const isUnit = units.length === 1 && besidesUnits(node).length === 0;
  if (unit !== undefined && (isUnit || isBlock(node))) {
    return widthOf(unit, rowsSend);
  }
  const weight = weightOf(node);
  if (weight !== null) {
    const senders = sendersOf(weight, rowsSend(weight, node, null));
    const mayBeDepthwise = senders === 1 && weight.shape.length > 2;
    return mayBeDepthwise ? weight.shape[0]! : senders;
  }
  for (const child of node.children) {
    if (positionTables.test(child.name)) continue;
    if (child.weightCount === 0 && node.weightCount > 0) continue;
    const width = expected(child, rowsSend);
    if (width !== null) return width;
  }
  return null;
}

/** Neurons that a unit reads. */
export function widthOf(unit: Unit, rowsSend: RowsSend): number | null {
  if (unit.kind === "forward") return inOf(unit.main, rowsSend);
  if (unit.kind === "experts") return widthOf(unit.experts[0]!, rowsSend);
  const reader = unit.query ?? unit.value ?? unit.key;
  return reader === null ? null : inOf(reader, rowsSend);
}

function firstLeaf(node: ModuleNode): ModuleNode | null {
  return node.weights.size > 0 ? node : (leavesOf(node)[0] ?? null);
}

function weightOf(node: ModuleNode): Weight | null {
  const [first] = node.weights.values();
  const forward = node.weights.get("weight_ih_l0") ?? node.weights.get("weight_ih");
  if (forward !== undefined) return forward;
  return leafWeight(node) ?? node.weights.get("weight") ?? first ?? null;
}
