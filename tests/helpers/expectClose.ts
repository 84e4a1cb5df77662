import { expect } from "vitest";

/** Every value to a relative 1e-12 of what is expected, null for null. */
export function expectClose(
  values: readonly (number | null)[],
  expected: readonly (number | null)[],
  within = 1e-12,
): void {
  expect(values).toHaveLength(expected.length);
  values.forEach((value, node) => {
    const wanted = expected[node]!;
    if (wanted === null || value === null) expect(value, `node ${node}`).toBe(wanted);
    else {
      const error = Math.abs(value - wanted);
      const message = `node ${node}: ${value} for ${wanted}`;
      expect(error, message).toBeLessThanOrEqual(within * Math.abs(wanted));
    }
  });
}
