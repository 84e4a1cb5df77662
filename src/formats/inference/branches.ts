/** Parallel branches whose outputs are joined. */
import { branches, shortcuts } from "./families.ts";
import type { ModuleNode } from "./moduleTree.ts";
import { without } from "./residual.ts";
import type { Signal } from "./signal.ts";
import type { Rule, Scope, Walker } from "./walker.ts";

/** Branches read one signal side by side and are joined in order; what else the module holds follows. */
export const parallelBranches: Rule = (node, from, walker, scope) => {
  const lists = new Map<string, ModuleNode[]>();
  const rest: ModuleNode[] = [];
  for (const child of node.children) {
    const [, key] = branches.exec(child.name) ?? [];
    if (child.weightCount === 0) continue;
    if (key === undefined) rest.push(child);
    else if (lists.has(key)) lists.get(key)!.push(child);
    else lists.set(key, [child]);
  }
  if (lists.size < 2) return null;
  const isOrdered =
    !walker.facts.isSorted || [...lists.keys()].every((key) => /^[a-z]+_?\d+$/i.test(key));
  const named: Scope = { ...scope, basis: "name", expect: null };
  const ends: Signal[] = [];
  for (const own of lists.values()) {
    const end = branch(own, from, walker, named);
    if (end === null) return null;
    ends.push(end);
  }
  const alone = isOrdered ? walker.plan.concat(ends) : unordered(node, ends, walker);
  const pooled = rest.length === 0 && scope.expect === alone.size! + (from.size ?? 0);
  // A pooled copy of the input is one more branch, the last.
  const joined = pooled ? walker.plan.concat([...ends, from]) : alone;
  const shortcut = rest.find((child) => shortcuts.test(child.name));
  const after = without(
    node,
    node.children.filter((child) => !rest.includes(child) || child === shortcut),
  );
  const output = after.weightCount === 0 ? joined : walker.sequence(after, joined, named);
  if (output === null || shortcut === undefined) return output;
  const side = walker.fit(shortcut, from, named);
  return side?.size === output.size ? walker.plan.sum([output, side]) : null;
};

/** Which branch comes first is not known: what follows reads neurons of its own. */
function unordered(node: ModuleNode, ends: readonly Signal[], { plan }: Walker): Signal {
  const width = ends.reduce((sum, { size }) => sum + size!, 0);
  const joined = plan.broken(`what follows ${node.path}`, width);
  return { ...joined, isMap: true };
}

function branch(
  own: readonly ModuleNode[],
  from: Signal,
  walker: Walker,
  scope: Scope,
): Signal | null {
  // `_2a` and `_2b` both read `_1`.
  const splits = own.filter((child) => /_\d[ab]$/.test(child.name));
  const line = own.filter((child) => !splits.includes(child));
  const end = line.reduce<Signal | null>((at, child) => at && walker.fit(child, at, scope), from);
  if (end === null || splits.length === 0) return end;
  const ends = splits.map((child) => walker.fit(child, end, scope));
  return ends.some((own) => own === null)
    ? null
    : walker.plan.concat(ends.filter((own) => own !== null));
}
