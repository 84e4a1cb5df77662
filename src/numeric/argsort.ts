/** Scratch space of `argsort`, so that sorting row after row allocates nothing. */
export interface ArgsortSpace {
  /** The answer: overwritten by the next call. */
  readonly order: Uint32Array;
  readonly spare: Uint32Array;
}

export function argsortSpace(length: number): ArgsortSpace {
  return { order: new Uint32Array(length), spare: new Uint32Array(length) };
}

/**
 * The indices of `keys` in ascending order of key; equal keys keep their order. No key may be NaN.
 * A bottom-up merge sort: exact and stable, where the fast trick of packing the index into the key's last bits is neither.
 * Cost: O(n log n), no allocation when `space` is given. Returns `space.order`, or its `spare`, whichever held the last merge.
 */
export function argsort(
  keys: Float32Array | Float64Array,
  space: ArgsortSpace = argsortSpace(keys.length),
): Uint32Array {
  const length = keys.length;
  let from = space.order;
  let to = space.spare;
  for (let i = 0; i < length; i++) from[i] = i;
  for (let start = 0; start < length; start += runLength) {
    insertionSort(keys, from, start, Math.min(start + runLength, length));
  }
  for (let width = runLength; width < length; width *= 2) {
    for (let start = 0; start < length; start += 2 * width) {
      const middle = Math.min(start + width, length);
      const end = Math.min(start + 2 * width, length);
      let left = start;
      let right = middle;
      for (let at = start; at < end; at++) {
        const takeLeft =
          right >= end || (left < middle && keys[from[left]!]! <= keys[from[right]!]!);
        to[at] = takeLeft ? from[left++]! : from[right++]!;
      }
    }
    [from, to] = [to, from];
  }
  return from;
}

/** Runs this short are sorted by insertion before they are merged. */
const runLength = 8;

function insertionSort(
  keys: Float32Array | Float64Array,
  order: Uint32Array,
  start: number,
  end: number,
): void {
  for (let i = start + 1; i < end; i++) {
    const index = order[i]!;
    const key = keys[index]!;
    let at = i;
    while (at > start && keys[order[at - 1]!]! > key) {
      order[at] = order[at - 1]!;
      at--;
    }
    order[at] = index;
  }
}
