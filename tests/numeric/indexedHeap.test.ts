import * as fc from "fast-check";
import { expect, test } from "vitest";
import { indexedHeap } from "../../src/numeric/indexedHeap.ts";

test("leaves in order of key, lowered keys included (oracle: a linear search)", () => {
  const keys = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 30 });
  const falls = fc.array(fc.tuple(fc.nat(29), fc.nat(5)), { maxLength: 60 });
  fc.assert(
    fc.property(keys, falls, (initial, lowered) => {
      const key = Float64Array.from(initial);
      const heap = indexedHeap([...initial.keys()], key);
      const waiting = new Set(initial.keys());
      for (const [item, by] of lowered) {
        if (waiting.has(item)) key[item]! -= by;
        if (item < key.length) heap.decrease(item, key[item]!);
        if (by > 3) continue;
        const least = Math.min(...[...waiting].map((i) => key[i]!));
        const popped = heap.pop();
        expect(popped === undefined ? Infinity : key[popped]).toBe(least);
        if (popped !== undefined) waiting.delete(popped);
      }
      expect(heap.size).toBe(waiting.size);
    }),
  );
});
