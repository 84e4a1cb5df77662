/** Attention and feed-forward units of a module, found by their names. */
import {
  attentions,
  crossAttention,
  expertLists,
  feedForwards,
  fusedAttentions,
  gatedForwards,
  halfFused,
  routers,
  secondHalfFirst,
  sharedExperts,
  type FusedOrder,
} from "./families.ts";
import { find, leavesOf, type ModuleNode } from "./moduleTree.ts";

export interface AttentionUnit {
  readonly kind: "attention";
  readonly path: string;
  readonly query: ModuleNode | null;
  readonly key: ModuleNode | null;
  /** Values, or keys and values in one (`isHalfFused`), or all three (`fused`). */
  readonly value: ModuleNode | null;
  readonly isHalfFused: boolean;
  readonly fused: FusedOrder | null;
  readonly out: ModuleNode | null;
  readonly isCross: boolean;
  /** Size of a normalisation of each head's queries or keys. */
  readonly headSize: number | null;
}

export interface ForwardUnit {
  readonly kind: "forward";
  readonly main: ModuleNode;
  readonly other: ModuleNode | null;
  readonly out: ModuleNode;
  /** Which half of twice as many hidden units is the signal. */
  readonly half: "first" | "second";
}

export interface ExpertUnit {
  readonly kind: "experts";
  readonly experts: readonly ForwardUnit[];
  readonly router: ModuleNode | null;
}

export type Unit = AttentionUnit | ForwardUnit | ExpertUnit;

const known = new WeakMap<ModuleNode, readonly Unit[]>();
const nothing: ReadonlySet<ModuleNode> = new Set();

/** Every unit in a module, in order. */
export function unitsOf(node: ModuleNode): readonly Unit[] {
  const before = known.get(node);
  if (before !== undefined) return before;
  const own = unitsAt(node, nothing);
  const units = own.length === 0 ? node.children.flatMap(unitsOf) : collect(node, new Set());
  known.set(node, units);
  return units;
}

/** Modules that hold weights of no unit. */
export function besidesUnits(node: ModuleNode): ModuleNode[] {
  const claimed = new Set(unitsOf(node).flatMap(partsOf).flatMap(leavesOf));
  return leavesOf(node).filter((leaf) => !claimed.has(leaf));
}

function collect(node: ModuleNode, claimed: Set<ModuleNode>): Unit[] {
  const own = unitsAt(node, claimed);
  for (const part of own.flatMap(partsOf)) for (const leaf of leavesOf(part)) claimed.add(leaf);
  const open = node.children.filter((child) => leavesOf(child).some((leaf) => !claimed.has(leaf)));
  return [...own, ...open.flatMap((child) => collect(child, claimed))];
}

function unitsAt(node: ModuleNode, claimed: ReadonlySet<ModuleNode>): Unit[] {
  if (node.weightCount < 2 || node.children.length === 0) return [];
  const attention = attentionAt(node, claimed);
  const taken = attention === null ? claimed : new Set([...claimed, ...partsOf(attention)]);
  const units = [attention, expertsAt(node), forwardAt(node, taken)];
  return units.filter((unit) => unit !== null);
}

function partsOf(unit: Unit): ModuleNode[] {
  if (unit.kind === "experts") {
    const router = unit.router === null ? [] : [unit.router];
    return [...unit.experts.flatMap(partsOf), ...router];
  }
  const parts =
    unit.kind === "attention"
      ? [unit.query, unit.key, unit.value, unit.out]
      : [unit.main, unit.other, unit.out];
  return parts.filter((part) => part !== null);
}

function attentionAt(node: ModuleNode, claimed: ReadonlySet<ModuleNode>): AttentionUnit | null {
  const at = (path: string): ModuleNode | null => {
    const found = find(node, path);
    return found !== null &&
      found.weightCount > 0 &&
      !leavesOf(found).some((leaf) => claimed.has(leaf))
      ? found
      : null;
  };
  const first = (paths: readonly string[]): ModuleNode | null => {
    for (const path of paths) {
      const found = at(path);
      if (found !== null) return found;
    }
    return null;
  };
  const shared = {
    kind: "attention" as const,
    path: node.path,
    isCross: crossAttention.test(node.name),
    headSize: headSizeOf(node),
  };
  for (const [name, order, outs] of fusedAttentions) {
    const value = at(name);
    const out = first(outs);
    if (value === null || (out === null && outs.length > 0 && name.length < 4)) continue;
    const parts = { query: null, key: null, value, out };
    return { ...shared, ...parts, isHalfFused: false, fused: order };
  }
  for (const [q, kv, outs] of halfFused) {
    const [query, value] = [at(q), at(kv)];
    if (query === null || value === null) continue;
    return { ...shared, query, key: null, value, out: first(outs), isHalfFused: true, fused: null };
  }
  for (const [q, k, v, outs] of attentions) {
    const [query, key, value] = [at(q), at(k), at(v)];
    const count = [query, key, value].filter((part) => part !== null).length;
    if (count < (q.length > 1 ? 2 : 3)) continue;
    return { ...shared, query, key, value, out: first(outs), isHalfFused: false, fused: null };
  }
  return null;
}

function headSizeOf(node: ModuleNode): number | null {
  const sizes = ["q_norm", "k_norm", "norm_q", "norm_k", "attn_q_norm", "q_layernorm", "ln_q"];
  for (const name of sizes) {
    const size = node.children.find((child) => child.name === name)?.vectors.get("weight");
    if (size !== undefined) return size;
  }
  return null;
}

const sequential = /mlp|ffn?|feed_?forward|dense/i;

function forwardAt(node: ModuleNode, claimed: ReadonlySet<ModuleNode>): ForwardUnit | null {
  const at = (path: string): ModuleNode | null => {
    const found = find(node, path);
    return found !== null && found.weightCount > 0 && !claimed.has(found) ? found : null;
  };
  for (const [gate, up, down] of gatedForwards) {
    const [main, other, out] = [at(gate), at(up), at(down)];
    if (main !== null && other !== null && out !== null) {
      return { kind: "forward", main, other, out, half: "first" };
    }
  }
  for (const [up, down] of feedForwards) {
    if (/^\d/.test(up) && !sequential.test(node.name)) continue;
    const [main, out] = [at(up), at(down)];
    if (main === null || out === null) continue;
    const half = secondHalfFirst.has(up) ? "second" : "first";
    return { kind: "forward", main, other: null, out, half };
  }
  return null;
}

function expertsAt(node: ModuleNode): ExpertUnit | null {
  const list = expertLists.map((name) => find(node, name)).find((found) => found !== null);
  if (!list || list.children.length === 0) return null;
  const none: ReadonlySet<ModuleNode> = new Set();
  const shared = sharedExperts.flatMap((name) => find(node, name) ?? []);
  const experts = [...list.children, ...shared].map((child) => forwardAt(child, none));
  if (experts.some((expert) => expert === null)) return null;
  const router = routers.map((name) => find(node, name)).find((found) => found !== null) ?? null;
  return { kind: "experts", experts: experts.filter((expert) => expert !== null), router };
}

/** A module of attention and feed-forward units on one stream, no smaller module having both. */
export function isBlock(node: ModuleNode): boolean {
  return holdsBoth(node) && !node.children.some(holdsBoth);
}

function holdsBoth(node: ModuleNode): boolean {
  const units = unitsOf(node);
  return (
    units.some(({ kind }) => kind === "attention") && units.some(({ kind }) => kind !== "attention")
  );
}
