/** Values closer than this, relative to the largest, cannot be told apart. */
const tie = 1e-12;

/**
 * Places of the largest of `values`, eigenvalues or singular values of the parts of a graph: which of them carry the leading
 * vector of the whole. More than one when the largest is shared.
 */
export function leadingParts(values: readonly number[]): number[] {
  const largest = values.reduce((most, value) => Math.max(most, value), 0);
  return values.flatMap((value, place) => (value >= largest * (1 - tie) ? [place] : []));
}
