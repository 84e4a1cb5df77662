/** Which rows or columns of a block of weights belong to which head of an attention layer. */
import type { AttentionNeurons, NeuronIds, Topology } from "./topology.ts";

export interface Head {
  /** What the weights make of the neurons that they read; `output`: they read what a head of values puts out. */
  readonly role: AttentionNeurons["role"] | "output";
  /** From 0, in each role. */
  readonly index: number;
}

/** Rows, or columns of an `output`, ascending. */
export interface HeadPart {
  readonly head: Head;
  readonly at: Int32Array;
}

export interface HeadLookup {
  /**
   * The rows of each head if all of them belong to one, else the columns of each: in order of their first, or null where neither
   * are all of heads. Values that several heads of queries share are read by as many heads of an output.
   */
  partsOf(to: NeuronIds, from: NeuronIds): readonly HeadPart[] | null;
}

/** Heads as `attention` has them; of neurons in several roles, values come before keys, those before queries. Cost: O(neurons). */
export function headLookup(attention: NonNullable<Topology["attention"]>): HeadLookup {
  const heads: Head[] = [];
  const headOf = new Map<number, number>();
  for (const role of ["query", "key", "value"] as const) {
    for (const own of attention.filter((one) => one.role === role)) {
      const size = own.ids.length / own.heads;
      own.ids.forEach((id, i) => headOf.set(id, heads.length + Math.floor(i / size)));
      for (let index = 0; index < own.heads; index++) heads.push({ role, index });
    }
  }
  const gathered = (ids: NeuronIds, keyOf: (id: number) => number | undefined) => {
    const parts = new Map<number, number[]>();
    for (const [at, id] of ids.entries()) {
      const key = keyOf(id);
      if (key === undefined) return null;
      const part = parts.get(key);
      if (part === undefined) parts.set(key, [at]);
      else part.push(at);
    }
    return parts;
  };
  const ofRows = (to: NeuronIds): HeadPart[] | null => {
    const parts = gathered(to, (id) => headOf.get(id));
    return (
      parts && Array.from(parts, ([key, at]) => ({ head: heads[key]!, at: Int32Array.from(at) }))
    );
  };
  const ofColumns = (from: NeuronIds): HeadPart[] | null => {
    const seen = new Map<number, number>();
    const parts = gathered(from, (id) => {
      const key = headOf.get(id);
      if (key === undefined || heads[key]!.role !== "value") return undefined;
      const before = seen.get(id) ?? 0;
      seen.set(id, before + 1);
      // The first of the heads that share a value reads it first.
      return key + before * heads.length;
    });
    if (parts === null) return null;
    const order = [...parts].toSorted(([, a], [, b]) => a[0]! - b[0]!);
    return order.map(([, at], index) => ({
      head: { role: "output", index },
      at: Int32Array.from(at),
    }));
  };
  return { partsOf: (to, from) => ofRows(to) ?? ofColumns(from) };
}
