/** What a file is and how far it is to be trusted, from its structure alone: seconds of reading are never spent on values. */
import { trackedSource, type ByteSource } from "../bytes/source.ts";
import { isWeightGraphError, type WeightGraphError } from "../errors.ts";
import { coverageOf, type Coverage } from "../model/coverage.ts";
import type { Model, StoredTensor } from "../model/model.ts";
import { readChunks } from "../model/readChunks.ts";
import { byteLengthOf, isComplex } from "../tensor/dtype.ts";
import { elementCount } from "../tensor/shape.ts";
import { detectFormat, readModel } from "./detect.ts";

export interface Finding {
  /** `note`: good to know. `warning`: something is missing or guessed. `suspicious`: what an honest file does not have. */
  readonly severity: "note" | "warning" | "suspicious";
  readonly code: string;
  readonly message: string;
}

export interface Examination {
  readonly name: string;
  readonly bytes: number;
  /** Null where the content is of no known format. */
  readonly format: { readonly id: string; readonly title: string } | null;
  /** Other files that the model consists of, as it names them. */
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  /** Null where the file cannot be read: `error` says why. */
  readonly model: Model | null;
  readonly coverage: Coverage | null;
  readonly error: WeightGraphError | null;
  readonly findings: readonly Finding[];
}

export interface ExamineOptions {
  /** Values are looked at for as long as this. @defaultValue 150 */
  readonly valuesMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Never throws for what is wrong with the file: that is its answer. Cost: the structure, and values for at most `valuesMs`.
 * @throws the signal's reason; what the source throws that is none of ours.
 */
export async function examineSource(
  source: ByteSource,
  { valuesMs = 150, signal }: ExamineOptions = {},
): Promise<Examination> {
  const tracked = trackedSource(source);
  const base = { name: source.name, bytes: source.byteLength };
  let format: Examination["format"] = null;
  try {
    const { id, title } = await detectFormat(tracked);
    format = { id, title };
    const model = await readModel(tracked);
    const coverage = coverageOf(model);
    const files = await siblingsOf(tracked);
    const findings = [
      ...nameFindings(source.name, format.id),
      ...modelFindings(model, coverage),
      ...sizeFindings(model, source),
      ...(await valueFindings(model, { valuesMs, ...(signal && { signal }) })),
    ];
    return { ...base, format, files, model, coverage, error: null, findings };
  } catch (error) {
    if (!isWeightGraphError(error)) throw error;
    const files = await siblingsOf(tracked);
    return { ...base, format, files, model: null, coverage: null, error, findings: [] };
  }
}

async function siblingsOf(
  source: ReturnType<typeof trackedSource>,
): Promise<{ name: string; bytes: number }[]> {
  return Promise.all(
    [...source.opened].map(async (name) => ({
      name,
      bytes: (await source.sibling(name)).byteLength,
    })),
  );
}

/** Endings that belong to a format; a file by another name is read all the same. */
const endings: Readonly<Record<string, RegExp>> = {
  onnx: /\.(onnx|ort|onnx_data)$/i,
  safetensors: /\.(safetensors|json)$/i,
  "keras-h5": /\.(h5|hdf5|keras)$/i,
  "keras-v3": /\.(keras|zip)$/i,
  npz: /\.(npz|npy)$/i,
  pytorch: /\.(pt|pth|bin|ckpt|th|pkl|tar|pt2|mar|json|jit|ptl|torch|model)$/i,
  tfjs: /\.json$/i,
  gguf: /\.gguf$/i,
};

function nameFindings(name: string, format: string): Finding[] {
  const ending = endings[format];
  const hasEnding = /\.[a-z]\w*$/i.test(name);
  if (ending === undefined || !hasEnding || ending.test(name)) return [];
  return [
    {
      severity: "warning",
      code: "NAME_MISLEADS",
      message: `the content is ${format}, which the name does not say`,
    },
  ];
}

/** Warnings of readers that an honest file gives no cause for. */
const suspiciousCodes: ReadonlySet<string> = new Set(["PICKLE_GLOBALS", "UNSAFE_NAMES"]);
const noteCodes: ReadonlySet<string> = new Set(["TOPOLOGY_INFERRED", "ORIENTATION_INFERRED"]);

function modelFindings(model: Model, coverage: Coverage): Finding[] {
  const findings = model.warnings.map(({ code, message }): Finding => {
    const note = noteCodes.has(code) ? "note" : "warning";
    return { severity: suspiciousCodes.has(code) ? "suspicious" : note, code, message };
  });
  if (coverage.share < 0.99) {
    const names = coverage.unexplained.slice(0, 5).map(({ name }) => name);
    const message = `${coverage.parameters - coverage.explained} of ${coverage.parameters} parameters are not explained: ${names.join(", ")}`;
    findings.push({ severity: "warning", code: "COVERAGE_LOW", message });
  }
  if (model.layers.length === 0) {
    const message = "no tensor of this file connects neurons";
    findings.push({ severity: "warning", code: "NO_LAYERS", message });
  }
  const strange = model.tensors.filter(({ name }) => isStrange(name));
  if (strange.length > 0) {
    const message = `${strange.length} tensor names hold control or direction-changing characters`;
    findings.push({ severity: "suspicious", code: "NAME_CONTROL_CHARACTERS", message });
  }
  const quantised = model.tensors.filter(({ quantisation }) => quantisation !== undefined);
  if (quantised.length > 0) {
    const message = `${quantised.length} tensors are quantised; their values are given dequantised`;
    findings.push({ severity: "note", code: "QUANTISED", message });
  }
  return findings;
}

function isStrange(name: string): boolean {
  return /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufffd]/u.test(name);
}

/** Bytes of the model file that no tensor accounts for, where every tensor of it has a place. */
function sizeFindings({ tensors, format }: Model, source: ByteSource): Finding[] {
  const [first] = tensors;
  if (first === undefined || format.startsWith("tfjs")) return [];
  const own = tensors.filter(({ location }) => location?.file === null);
  if (own.length < tensors.length) return [];
  const stored = own.reduce((sum, { location }) => sum + location!.byteLength, 0);
  const rest = source.byteLength - stored;
  if (rest <= Math.max(2 ** 20, 0.2 * source.byteLength)) return [];
  const message = `${rest} of ${source.byteLength} bytes belong to no tensor`;
  return [{ severity: "warning", code: "BYTES_UNEXPLAINED", message }];
}

/** Looks for what is not finite, and for tensors that are zero throughout, in as many values as the time allows. */
async function valueFindings(
  model: Model,
  { valuesMs, signal }: { readonly valuesMs: number; readonly signal?: AbortSignal },
): Promise<Finding[]> {
  const end = performance.now() + valuesMs;
  const notFinite: string[] = [];
  const empty: string[] = [];
  const tensors = [...new Set(model.layers.map(({ tensor }) => tensor))];
  let seen = 0;
  for (const tensor of tensors) {
    if (performance.now() > end || !isCheap(tensor)) break;
    let [isZero, isFinite, isWhole] = [true, true, true];
    for await (const { values } of readChunks(tensor, { ...(signal && { signal }) })) {
      isZero &&= values.every((value) => value === 0);
      isFinite &&= values.every((value) => Number.isFinite(value));
      isWhole = performance.now() <= end;
      if (!isWhole) break;
    }
    if (isWhole) seen++;
    if (!isFinite) notFinite.push(tensor.name);
    else if (isZero && isWhole) empty.push(tensor.name);
  }
  const findings: Finding[] = [];
  const add = (code: string, names: readonly string[], what: string): void => {
    if (names.length === 0) return;
    const listed = names.slice(0, 5).join(", ") + (names.length > 5 ? ", …" : "");
    findings.push({ severity: "warning", code, message: `${what}: ${listed}` });
  };
  add("WEIGHTS_NOT_FINITE", notFinite, "NaN or infinite weights");
  add("WEIGHTS_ALL_ZERO", empty, "nothing but zeros");
  if (seen < tensors.length) {
    const message = `values of ${seen} of ${tensors.length} weight tensors were looked at`;
    findings.push({ severity: "note", code: "VALUES_PARTLY_SEEN", message });
  }
  return findings;
}

/** A tensor that can be read a span at a time, or is small enough to be read whole. */
function isCheap({ readSpan, dtype, shape }: StoredTensor): boolean {
  if (isComplex(dtype)) return false;
  return readSpan !== undefined || byteLengthOf(dtype, elementCount(shape)) <= 2 ** 25;
}
