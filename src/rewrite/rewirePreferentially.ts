/**
 * PA rewiring (preferential attachment): permutes the weights of a layer so that the strengths of its neurons even out, while
 * the weights themselves, and so their histogram, stay the same.
 *
 * A pass over a matrix [rows, columns] leaves its first row alone. Before each further row, st holds the strength that every
 * column has gathered from the rows above it, as already rewired. All columns are ordered, either drawn without replacement in
 * proportion to p = (st + |min st| + shift) / sum, or strongest first; the k-th column then receives the row's k-th smallest
 * weight. Strong columns come early and get the most negative weights: a negative feedback, despite the name.
 * The pass `rows` keeps every row's multiset, hence all row sums, and evens out the inputs. The pass `columns` does the same to
 * the transposed matrix: it keeps all column sums and evens out the outputs.
 *
 * Not scale-invariant: with a shift of 1 small weights are ordered almost at random. `shift: "relative"` mends that.
 * The result depends on the order of the neurons; the first row and, in the second pass, the first column are fixed points.
 * Domain: finite weights, at least one row and one column. Strengths in float64, whatever the weights' type.
 * Cost: float32 rows and columns of 16 to 2^21 weights pass through a kernel that sorts by digits: O(rows * columns) time, one copy
 * of the weights. Others take O(rows * columns * log) and a second copy for `columns`. Both give the same bytes.
 * Source: Scabini, De Baets, Bruno, Neurocomputing 599 (2024), arXiv 2207.08148, and the authors' code; the deterministic
 * variant from the copy in their RADAM repository. Golden: tables worked by hand, the exact law of the first step.
 */
import { UsageError } from "../errors.ts";
import { variance } from "../numeric/variance.ts";
import { createRandom, shuffle, type Random } from "../random.ts";
import type { FloatArray } from "../tensor/dtype.ts";
import { permute } from "../tensor/permute.ts";
import { checkChoice } from "./checkChoice.ts";
import { plackettLuceSampler, strongestFirst, type OrderSampler } from "./drawOrder.ts";
import { rewireByKernel } from "./rewireByKernel.ts";
import { strengthVariance, withStrengths, type StrengthVariance } from "./strengthVariance.ts";
import { checkMatrix, type WeightMatrix } from "./weightMatrix.ts";

export type RewirePass = "rows" | "columns";

export interface RewireOptions {
  /** @defaultValue "stochastic" */
  readonly method?: "stochastic" | "deterministic";
  /** In this order. @defaultValue ["rows", "columns"], both, as published */
  readonly passes?: readonly RewirePass[];
  /**
   * What is added to every strength, so that each column can be drawn. `relative` is the standard deviation of the strengths,
   * or 1 where they are all equal. @defaultValue 1, as in the authors' code
   */
  readonly shift?: number | "relative";
  /** `shuffled` visits the rows of each pass in a random order. @defaultValue "given" */
  readonly visit?: "given" | "shuffled";
  /** @defaultValue 0 */
  readonly seed?: number | Random;
  /** Takes the place of the method's own way to order the columns. */
  readonly sampler?: OrderSampler;
}

export interface RewirePassReport {
  readonly pass: RewirePass;
  readonly before: StrengthVariance;
  readonly after: StrengthVariance;
}

export interface RewireReport {
  readonly before: StrengthVariance;
  readonly after: StrengthVariance;
  /** One entry per pass, in order. */
  readonly passes: readonly RewirePassReport[];
}

export interface Rewired<T extends FloatArray> extends RewireReport {
  /** [rows, columns], a new array of the same type. */
  readonly weights: T;
}

/**
 * @throws {ShapeError} `SHAPE_MISMATCH`; {UsageError} `USAGE_INVALID_OPTION` for a shift not above 0, an unknown method or pass
 *   or a sampler that does not order all columns; {WeightGraphError} `WEIGHTS_NOT_FINITE`; {AnalysisError} `ANALYSIS_UNDEFINED`
 *   for weights so large that their variance is not a number.
 */
export function rewirePreferentially<T extends FloatArray>(
  matrix: WeightMatrix<T>,
  options: RewireOptions = {},
): Rewired<T> {
  const { passes = ["rows", "columns"], shift = 1, seed = 0 } = options;
  checkMatrix(matrix);
  checkChoice("method", options.method, ["stochastic", "deterministic"]);
  checkChoice("visit", options.visit, ["given", "shuffled"]);
  for (const pass of passes) checkChoice("passes", pass, ["rows", "columns"]);
  if (shift !== "relative" && !(Number.isFinite(shift) && shift > 0)) {
    throw new UsageError("USAGE_INVALID_OPTION", `shift must be above 0, not ${shift}`, {
      hint: 'With no shift the weakest neuron could never be drawn; "relative" follows the scale of the weights.',
    });
  }
  const random = typeof seed === "number" ? createRandom(seed) : seed;
  const before = strengthVariance(matrix);
  const reports: RewirePassReport[] = [];
  let current = { ...matrix, weights: matrix.weights.slice() as T };
  let last = before;
  for (const [index, pass] of passes.entries()) {
    const own = random.fork(`${index}/${pass}`);
    let strengths = byKernel(current, pass, { ...options, seed: own });
    if (strengths === null && pass === "rows") strengths = rewireRows(current, options, own);
    else if (strengths === null) {
      const turned = transpose(current);
      strengths = rewireRows(turned, options, own);
      current = transpose(turned);
    }
    // The other side keeps its sums.
    const after = withStrengths(last, pass === "rows" ? "inputs" : "outputs", strengths);
    reports.push({ pass, before: last, after });
    last = after;
  }
  return { weights: current.weights, before, after: last, passes: reports };
}

/** One pass, in place, if a kernel serves for it. Returns the sums of the columns. */
function byKernel(
  { weights, ...shape }: WeightMatrix,
  pass: RewirePass,
  options: RewireOptions & { readonly seed: Random },
): Float64Array | null {
  const { method = "stochastic", shift = 1, sampler, seed: random } = options;
  if (sampler !== undefined || !(weights instanceof Float32Array)) return null;
  const visits = visitsOf(shape[pass], options, random);
  const shiftOf = (strengths: Float64Array): number => shiftFor(strengths, shift);
  return rewireByKernel({ weights, ...shape }, { pass, method, visits, shiftOf }, random);
}

function visitsOf(count: number, { visit }: RewireOptions, random: Random): Uint32Array {
  const visits = Uint32Array.from({ length: count }, (_, row) => row);
  return visit === "shuffled" ? shuffle(visits, random.fork("visit")) : visits;
}

/** One pass, in place. Returns the sums of the columns. */
function rewireRows(matrix: WeightMatrix, options: RewireOptions, random: Random): Float64Array {
  const { weights, rows, columns } = matrix;
  const orderColumns = orderingOf(options, columns, random);
  const visits = visitsOf(rows, options, random);
  const rowAt = (visit: number): FloatArray => {
    const first = visits[visit]! * columns;
    return weights.subarray(first, first + columns);
  };
  const strengths = new Float64Array(columns);
  for (let visit = 0; visit < rows; visit++) {
    const row = rowAt(visit);
    if (visit > 0) serve(row, row.slice().sort(), orderColumns(strengths));
    for (let column = 0; column < columns; column++) strengths[column]! += row[column]!;
  }
  return strengths;
}

/** From the strengths so far to the order in which columns are served. */
function orderingOf(
  { method = "stochastic", shift = 1, sampler }: RewireOptions,
  columns: number,
  random: Random,
): (strengths: Float64Array) => ArrayLike<number> {
  // By strength, not by probability: as probabilities, two near strengths could round to one.
  if (method === "deterministic" && sampler === undefined) return strongestFirst(columns);
  const draw = sampler ?? plackettLuceSampler(columns);
  const chances = new Float64Array(columns);
  return (strengths) => {
    toChances(strengths, shift, chances);
    if (sampler !== undefined) normalise(chances);
    return draw(chances, random);
  };
}

/** Gives the k-th of `targets` the k-th of `ascending`. */
function serve(row: FloatArray, ascending: FloatArray, targets: ArrayLike<number>): void {
  row.fill(NaN);
  for (let k = 0; k < row.length; k++) {
    const column = targets[k] ?? NaN;
    if (!Number.isNaN(row[column] ?? 0)) {
      throw new UsageError("USAGE_INVALID_OPTION", "a sampler must order each column once");
    }
    row[column] = ascending[k]!;
  }
}

function toChances(
  strengths: Float64Array,
  shift: number | "relative",
  chances: Float64Array,
): void {
  let least = Infinity;
  for (const strength of strengths) if (strength < least) least = strength;
  const offset = Math.abs(least) + shiftFor(strengths, shift);
  for (let c = 0; c < strengths.length; c++) chances[c] = strengths[c]! + offset;
}

function normalise(chances: Float64Array): void {
  let sum = 0;
  for (const chance of chances) sum += chance;
  for (let c = 0; c < chances.length; c++) chances[c]! /= sum;
}

function shiftFor(strengths: Float64Array, shift: number | "relative"): number {
  return shift === "relative" ? Math.sqrt(variance(strengths, 0)) || 1 : shift;
}

function transpose<T extends FloatArray>({
  weights,
  rows,
  columns,
}: WeightMatrix<T>): WeightMatrix<T> {
  return {
    weights: permute(weights, [rows, columns], [1, 0]),
    rows: columns,
    columns: rows,
  };
}
