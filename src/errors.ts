/**
 * Every error that weightgraph throws on purpose: one class, a stable code, a path from the outside in, and what to do next.
 */

/** Each code with the sentence that explains it. `docs/errors.md` is generated from this table. */
export const errorCodes = {
  USAGE_INVALID_OPTION: "An option has a value that the command or function does not take.",
  USAGE_UNKNOWN_MEASURE: "No measure of this name is registered.",
  USAGE_UNKNOWN_PART: "No layer, operation, optimiser or other part of training has this name.",
  USAGE_UNKNOWN_MODEL: "No architecture of this name is registered.",
  FILE_NOT_FOUND: "No file or folder stands at this path.",
  FILE_NOT_READABLE: "The file exists but cannot be read.",
  FILE_NOT_WRITABLE: "The output cannot be written: no permission, no space, or no folder.",
  FILE_EXISTS: "The output exists already and is never overwritten without being told to.",
  FILE_SUSPICIOUS: "The file holds what an honest model file does not.",
  FILE_OUTSIDE_FOLDER: "The file names a sibling outside its own folder, which is refused.",
  FORMAT_UNKNOWN: "The content is of no format that weightgraph reads.",
  FORMAT_UNSUPPORTED: "The format is known, but this feature of it is not read.",
  FORMAT_TRUNCATED: "The file ends before the data that it announces.",
  FORMAT_MALFORMED: "The file breaks the rules of its format.",
  FORMAT_LFS_POINTER: "The file is a git-lfs pointer, not the model itself.",
  FORMAT_LIMIT: "The file asks for more than the reader's limits allow.",
  FORMAT_NO_WEIGHTS: "The file is well formed but holds no weights.",
  LIMIT_TIME: "The run took longer than it was allowed to.",
  SHAPE_MISMATCH: "Two shapes that must agree do not.",
  GRAPH_NO_EDGES: "The graph has no edge of non-zero weight, so the measure is undefined.",
  GRAPH_MALFORMED: "The graph's description contradicts itself.",
  GRAPH_POSITIONS_UNKNOWN:
    "Where the neurons of a layer stand is not declared, so the graph cannot be unrolled.",
  GRAPH_WEIGHTS_NOT_KEPT: "The graph was read for sums only; this needs its single weights.",
  GRAPH_TOO_LARGE: "The graph is larger than the target can hold.",
  GRAPH_BIAS_UNKNOWN: "The file does not tell which biases belong to which weight layer.",
  GRAPH_HEADS_UNKNOWN: "No attention layer of the model has heads that are known.",
  NORMALISATION_UNKNOWN: "No normalisation of the file can be tied to the weights before it.",
  GRAPH_WEIGHT_RANGE: "A transform takes an edge weight out of the range of numbers.",
  GRAPH_NO_TAPS:
    "The graph keeps only what the taps of its kernels come to, and this needs each of them.",
  WEIGHTS_NOT_FINITE: "A weight is NaN or infinite, so no measure of its neurons is defined.",
  ANALYSIS_NOT_CONVERGED: "An iteration did not reach its tolerance within its limit.",
  ANALYSIS_TOO_LARGE:
    "The measure would take too long, or too much memory, on a graph of this size.",
  ANALYSIS_UNDEFINED: "The measure has no value for this input.",
  SERIES_EMPTY: "The folder holds no checkpoint that can be read.",
  SERIES_MISMATCH: "Two checkpoints of a series hold different networks.",
  DATA_MALFORMED: "A data set breaks the rules of its format.",
  DATA_NOT_FOUND: "No data set of this name or path was found.",
  ENGINE_GRAPH: "A program of operations contradicts itself.",
  ENGINE_UNSUPPORTED: "The engine lacks an operation or a feature that was asked for.",
  ENGINE_NOT_FINITE: "Training left the finite numbers: the loss is NaN or infinite.",
  PREDICT_TOO_FEW: "There are too few runs to fit or to validate a predictor.",
} as const;

export type ErrorCode = keyof typeof errorCodes;

export interface WeightGraphErrorOptions {
  /** From the outside in: `["net.onnx", "graph", "initializer", 3, "dims"]`. */
  readonly path?: readonly (string | number)[];
  /** What the user can do next. */
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

export class WeightGraphError extends Error {
  readonly code: ErrorCode;
  readonly path: readonly (string | number)[];
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: WeightGraphErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.path = options.path ?? [];
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}

/** The caller asked for something that makes no sense. */
export class UsageError extends WeightGraphError {}
/** A file cannot be read, or is not what it says. */
export class FormatError extends WeightGraphError {}
/** Shapes that must agree do not. */
export class ShapeError extends WeightGraphError {}
/** A graph cannot be built or converted. */
export class GraphError extends WeightGraphError {}
/** A measure is undefined or did not converge. */
export class AnalysisError extends WeightGraphError {}
/** A training engine cannot go on. */
export class EngineError extends WeightGraphError {}

/** True when `error` is one of ours, of `code` if given. Looks at the code, so it holds across copies of the library. */
export function isWeightGraphError(error: unknown, code?: ErrorCode): error is WeightGraphError {
  if (!(error instanceof Error)) return false;
  const own = (error as Partial<WeightGraphError>).code;
  return typeof own === "string" && own in errorCodes && (code === undefined || own === code);
}
