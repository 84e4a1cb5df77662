/** How good predictions are. Numbers that are undefined are null. Cost: O(n), for ranks O(n log n). */
import { argsort } from "../numeric/argsort.ts";
import { dot } from "../numeric/vector.ts";

/** Share of labels that were predicted; labels are 0 or 1. */
export function accuracy(labels: Float64Array, predicted: Float64Array): number {
  return (
    labels.reduce((hits, label, i) => hits + Number(label === predicted[i]), 0) / labels.length
  );
}

/** Mean over the two classes of the F1 score; a class that neither occurs nor is predicted is left out. */
export function macroF1(labels: Float64Array, predicted: Float64Array): number {
  const scores = [0, 1].flatMap((label) => {
    const real = labels.filter((own) => own === label).length;
    const claimed = predicted.filter((own) => own === label).length;
    const hits = labels.filter((own, i) => own === label && predicted[i] === label).length;
    return real + claimed === 0 ? [] : [(2 * hits) / (real + claimed)];
  });
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

/** Coefficient of determination: 1 - squared errors over squared deviations from the mean; null for equal targets. */
export function r2(targets: Float64Array, predicted: Float64Array): number | null {
  const deviations = centred(targets);
  const total = dot(deviations, deviations);
  const errors = targets.map((target, i) => target - predicted[i]!);
  return total === 0 ? null : 1 - dot(errors, errors) / total;
}

export function meanAbsoluteError(targets: Float64Array, predicted: Float64Array): number {
  return (
    targets.reduce((sum, target, i) => sum + Math.abs(target - predicted[i]!), 0) / targets.length
  );
}

/** Spearman's rank correlation, equal values sharing their mean rank; null when either side is all equal. */
export function spearman(a: Float64Array, b: Float64Array): number | null {
  const x = centred(ranks(a));
  const y = centred(ranks(b));
  const norms = Math.sqrt(dot(x, x) * dot(y, y));
  return norms === 0 ? null : dot(x, y) / norms;
}

function centred(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviations = values.map((value) => value - mean);
  // What rounding leaves of equal values is not a deviation.
  return values.every((value) => value === values[0]) ? deviations.fill(0) : deviations;
}

function ranks(values: Float64Array): Float64Array {
  const order = argsort(values);
  const result = new Float64Array(values.length);
  for (let first = 0; first < order.length;) {
    let last = first;
    while (last + 1 < order.length && values[order[last + 1]!] === values[order[first]!]) last++;
    for (let at = first; at <= last; at++) result[order[at]!] = (first + last) / 2;
    first = last + 1;
  }
  return result;
}
