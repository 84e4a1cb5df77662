/** Blocks of convolutions with a path beside them, gates of channels. */
import { gates, shortcuts } from "./families.ts";
import { leafWeight, leavesOf, type ModuleNode, type Weight } from "./moduleTree.ts";
import type { Signal } from "./signal.ts";
import type { Rule, Scope } from "./walker.ts";

/** Without these children. */
export function without(node: ModuleNode, left: readonly ModuleNode[]): ModuleNode {
  const gone = new Set(left);
  const children = node.children.filter((child) => !gone.has(child));
  const lost = left.reduce((sum, child) => sum + child.weightCount, 0);
  return { ...node, children, weightCount: node.weightCount - lost };
}

export function shortcutOf(node: ModuleNode): ModuleNode | null {
  const found = node.children.filter(
    (child) => shortcuts.test(child.name) && child.weightCount > 0,
  );
  return found.length === 1 ? found[0]! : null;
}

/** A shortcut reads what the block reads and is added to what it puts out; where its kin have one, the input itself is added. */
export const residualBlock: Rule = (node, from, walker, scope) => {
  const shortcut = shortcutOf(node);
  if (shortcut === null && !walker.facts.isResidual(node)) return null;
  const main = shortcut === null ? node : without(node, [shortcut]);
  if (main.weightCount === 0) return null;
  const named: Scope = { ...scope, basis: "name", expect: null };
  const output = walker.sequence(main, from, named);
  if (output === null) return null;
  const side = shortcut === null ? from : walker.fit(shortcut, from, named);
  if (side?.size === output.size) return walker.plan.sum([output, side]);
  return shortcut === null ? output : null;
};

/** Squeeze and excitation: two layers that read the signal and scale it, channel by channel. */
export const channelGate: Rule = (node, from, walker, scope) => {
  if (node.weightCount !== 2) return null;
  const leaves = leavesOf(node);
  const [first, second] = leaves.map(leafWeight).sort((a, b) => squeezes(b) - squeezes(a));
  if (!first || !second) return null;
  const [inner, channels] = first.shape;
  const isNamed = gates.test(node.name);
  const isPair =
    leaves.some(({ name }) => name === "fc1") && first.shape.length === 4 && isPointwise(node);
  if (!isNamed && !isPair) return null;
  if (inner! >= channels! || second.shape[0] !== channels || second.shape[1] !== inner) return null;
  const named: Scope = { ...scope, basis: "name", expect: null };
  const lines = leaves.toSorted((a, b) => squeezes(leafWeight(b)) - squeezes(leafWeight(a)));
  const scales = lines.reduce<Signal | null>((at, leaf) => at && walker.fit(leaf, at, named), from);
  return scales === null ? null : from;
};

function squeezes(weight: Weight | null): number {
  return weight === null ? 0 : weight.shape[1]! - weight.shape[0]!;
}

function isPointwise(node: ModuleNode): boolean {
  return leavesOf(node).every((leaf) =>
    leafWeight(leaf)
      ?.shape.slice(2)
      .every((size) => size === 1),
  );
}

/**
 * Expand, depthwise, project: known by the three kernels. The input is added where as many channels come out as went in, since
 * such a block changes their number when it changes the size of the map.
 */
export const invertedResidual: Rule = (node, from, walker, scope) => {
  if (node.weightCount < 2 || node.weightCount > 5) return null;
  const gate = gateIn(node);
  const leaves = leavesOf(gate.rest);
  const deep = leaves.find((leaf) => isDepthwise(leaf));
  const points = leaves.filter((leaf) => leaf !== deep && isPointwise(leaf));
  if (deep === undefined || leaves.length > 3 || points.length !== leaves.length - 1) return null;
  const width = leafWeight(deep)!.shape[0]!;
  const project = points.findLast((leaf) => leafWeight(leaf)!.shape[1] === width);
  const expand = points.find((leaf) => leaf !== project);
  if (project === undefined || (expand === undefined && gate.leaves.length === 0)) return null;
  const shape = expand && leafWeight(expand)!.shape;
  if (shape && (shape[0] !== width || shape[1]! >= width)) return null;
  const named: Scope = { ...scope, basis: "name", expect: null };
  const wide = expand === undefined ? from : walker.fit(expand, from, named);
  const filtered = wide && walker.fit(deep, wide, named);
  if (filtered === null) return null;
  const reducing = gate.leaves.toSorted((a) => (leafWeight(a)?.shape[1] === width ? -1 : 1));
  reducing.reduce<Signal | null>((at, leaf) => at && walker.fit(leaf, at, named), filtered);
  const output = walker.fit(project, filtered, named);
  const isSame = output !== null && expand !== undefined && output.size === from.size;
  return isSame ? walker.plan.sum([output, from]) : output;
};

/** The two layers of a gate, wherever they stand in a block. */
function gateIn(node: ModuleNode): { rest: ModuleNode; leaves: readonly ModuleNode[] } {
  const isGate = (leaf: ModuleNode): boolean =>
    /(?:^|[._])(?:se\w*|fc[12])(?:[._]|$)/.test(leaf.path.slice(node.path.length + 1));
  const leaves = leavesOf(node).filter(isGate);
  return leaves.length === 2 ? { rest: pruned(node, leaves), leaves } : { rest: node, leaves: [] };
}

function pruned(node: ModuleNode, left: readonly ModuleNode[]): ModuleNode {
  const children = node.children
    .filter((child) => !left.includes(child))
    .map((child) => pruned(child, left));
  const weightCount = children.reduce((sum, child) => sum + child.weightCount, node.weights.size);
  return { ...node, children, weightCount };
}

function isDepthwise(node: ModuleNode): boolean {
  const shape = leafWeight(node)?.shape ?? [];
  return (
    shape.length > 2 && shape[1] === 1 && shape[0]! > 1 && shape.slice(2).some((size) => size > 1)
  );
}

/** Depthwise, expand, project, back to the channels that came in: the input is added. */
export const depthwiseFirst: Rule = (node, from, walker, scope) => {
  if (node.weightCount !== 3) return null;
  const leaves = leavesOf(node);
  const [deep, expand, project] = leaves;
  if (leaves.length !== 3 || !isDepthwise(deep!)) return null;
  const width = leafWeight(deep!)!.shape[0]!;
  const [hidden = 0, wide] = leafWeight(expand!)?.shape ?? [];
  const [back, narrow] = leafWeight(project!)?.shape ?? [];
  if (wide !== width || back !== width || narrow !== hidden || hidden <= width) return null;
  const output = walker.sequence(node, from, { ...scope, basis: "name", expect: null });
  return output !== null && output.size === from.size ? walker.plan.sum([output, from]) : null;
};
