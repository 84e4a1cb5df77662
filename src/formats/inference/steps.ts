/** The modules of a module in the order in which they read one another. */
import { lateNames } from "./families.ts";
import type { ModuleNode } from "./moduleTree.ts";
import type { Signal } from "./signal.ts";
import type { Walker } from "./walker.ts";
import { expected, outOf } from "./widths.ts";

/** Own weights first, then the modules below. */
export function stepsOf(node: ModuleNode, from: Signal, walker: Walker): ModuleNode[] {
  const children = interleaved(downsampledFirst(node, from, walker)).filter(
    (child) => child.weightCount > 0 || child.vectors.size > 0,
  );
  const late = children.filter((child) => lateNames.test(child.name));
  const early = children.filter((child) => !lateNames.test(child.name));
  const own = [...node.weights].map(([part, weight]) => ({
    ...node,
    children: [],
    weights: new Map([["weight", weight]]),
    weightCount: 1,
    path: `${node.path}.${part}`,
  }));
  return [...own, ...early, ...late];
}

/** Lists of residual and attention modules take turns. */
function interleaved(children: readonly ModuleNode[]): readonly ModuleNode[] {
  const lists = ["resnets", "attentions"].map((name) =>
    children.find(
      (child) => child.name === name && child.weightCount > 0 && child.weights.size === 0,
    ),
  );
  const [residual, attention] = lists;
  if (!residual || !attention) return children;
  const turns = residual.children.flatMap((own, i) => [own, attention.children[i] ?? []].flat());
  const left = attention.children.slice(residual.children.length);
  const others = children.filter((child) => !lists.includes(child));
  return [...turns, ...left, ...others];
}

/** A stage may begin with its downsampling or end with it: its width tells. */
function downsampledFirst(
  { children }: ModuleNode,
  from: Signal,
  { facts: { rowsSend } }: Walker,
): readonly ModuleNode[] {
  const at = children.findIndex(({ name }) => name === "downsample");
  if (at < 1 || from.size === null || expected(children[at]!, rowsSend) !== from.size) {
    return children;
  }
  const others = children.toSpliced(at, 1);
  const width = others.map((child) => expected(child, rowsSend)).find((own) => own !== null);
  return width === outOf(children[at]!, rowsSend) ? [children[at]!, ...others] : children;
}
