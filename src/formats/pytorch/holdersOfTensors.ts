import type { PickleValue } from "../../bytes/pickleValue.ts";
import { PickleCall } from "../../bytes/pickleValue.ts";
import { tensorRecord } from "./tensorRecord.ts";

/**
 * Every value that a tensor lies in, however deep: what is worth walking. Each value is seen once, so that nothing that refers to
 * itself or to one thing many times costs more than its size.
 */
export function holdersOfTensors(root: PickleValue): ReadonlySet<PickleValue> {
  const parents = new Map<PickleValue, PickleValue[]>();
  const tensors: PickleValue[] = [];
  const seen = new Set<PickleValue>([root]);
  const open: PickleValue[] = [root];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (value instanceof PickleCall && tensorRecord(value) !== null) {
      tensors.push(value);
      continue;
    }
    for (const part of insideOf(value)) {
      if (typeof part !== "object" || part === null) continue;
      const own = parents.get(part);
      if (own === undefined) parents.set(part, [value]);
      else own.push(value);
      if (seen.has(part)) continue;
      seen.add(part);
      open.push(part);
    }
  }
  const holders = new Set<PickleValue>();
  const rising = tensors;
  for (let value = rising.pop(); value !== undefined; value = rising.pop()) {
    for (const parent of parents.get(value) ?? []) {
      if (holders.has(parent)) continue;
      holders.add(parent);
      rising.push(parent);
    }
  }
  return holders;
}

function* insideOf(value: PickleValue): Generator<PickleValue, void, undefined> {
  if (Array.isArray(value)) yield* value;
  else if (value instanceof Map) yield* value.values();
  else if (value instanceof PickleCall) {
    if (value.args !== null) yield value.args;
    if (value.state !== undefined) yield value.state;
    if (value.items !== null) yield value.items;
    if (value.entries !== null) yield value.entries;
  }
}
