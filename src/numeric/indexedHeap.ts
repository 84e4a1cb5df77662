/** A binary min-heap over the items 0 … n - 1 whose keys may fall while they wait. */
export interface IndexedHeap {
  readonly size: number;
  /** Takes out the item of least key; undefined when none is left. */
  pop(): number | undefined;
  /** Lowers the key of a waiting item; an item that has left is ignored. */
  decrease(item: number, key: number): void;
}

/**
 * Heap of `items`, keyed by `keys[item]`. Equal keys leave in an order that depends on the input alone.
 * Cost: O(items) to build, O(log items) a call.
 */
export function indexedHeap(items: ArrayLike<number>, keys: Float64Array): IndexedHeap {
  const key = Float64Array.from(keys);
  const heap = Int32Array.from(items);
  /** Place of an item in `heap`, -1 once it has left. */
  const place = new Int32Array(keys.length).fill(-1);
  let size = heap.length;

  const put = (item: number, at: number): void => {
    heap[at] = item;
    place[item] = at;
  };
  const rise = (item: number, from: number): void => {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (key[heap[parent]!]! <= key[item]!) break;
      put(heap[parent]!, at);
      at = parent;
    }
    put(item, at);
  };
  const sink = (item: number, from: number): void => {
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && key[heap[child + 1]!]! < key[heap[child]!]!) child++;
      if (key[heap[child]!]! >= key[item]!) break;
      put(heap[child]!, at);
      at = child;
    }
    put(item, at);
  };

  heap.forEach((item, at) => put(item, at));
  for (let at = (size >> 1) - 1; at >= 0; at--) sink(heap[at]!, at);

  return {
    get size() {
      return size;
    },
    pop() {
      if (size === 0) return undefined;
      const least = heap[0]!;
      place[least] = -1;
      size--;
      if (size > 0) sink(heap[size]!, 0);
      return least;
    },
    decrease(item, lower) {
      const at = place[item]!;
      if (at < 0) return;
      key[item] = lower;
      rise(item, at);
    },
  };
}
