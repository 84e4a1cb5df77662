/**
 * Compares names as people count: runs of digits as numbers, the rest by code unit, so that `layer.9` comes before `layer.10`.
 * Numbers of any length; equal numbers with more leading zeros come later. The same on every machine, unlike `localeCompare`.
 */
export function naturalOrder(a: string, b: string): number {
  const left = a.match(/\d+|\D+/g) ?? [];
  const right = b.match(/\d+|\D+/g) ?? [];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = compareParts(left[i]!, right[i]!);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function compareParts(a: string, b: string): number {
  if (a === b) return 0;
  if (/^\d/.test(a) && /^\d/.test(b)) {
    const [x, y] = [a.replace(/^0+/, ""), b.replace(/^0+/, "")];
    if (x !== y) return x.length - y.length || (x < y ? -1 : 1);
    return a.length - b.length;
  }
  return a < b ? -1 : 1;
}
