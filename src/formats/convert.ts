/** A model's weights in another format, and the proof that they are the same. */
import { FormatError } from "../errors.ts";
import { matchTensors } from "../model/matchTensors.ts";
import type { Model, ModelWarning, StoredTensor } from "../model/model.ts";
import { decodeTensor } from "../tensor/decode.ts";
import { isComplex, type FloatArray } from "../tensor/dtype.ts";
import { encodeTensor } from "../tensor/encode.ts";
import { sameShape } from "../tensor/shape.ts";
import type { PatchedFile } from "./format.ts";
import { writeModelNpz } from "./npz/write.ts";
import { writeOnnx } from "./onnx/write.ts";
import { modelSafetensors } from "./safetensors/write.ts";
import { writeTfjs } from "./tfjs/write.ts";
import { inOrder } from "./storedOrder.ts";

/** Files that are new, and what could not be kept. */
export interface Conversion {
  readonly files: readonly PatchedFile[];
  readonly warnings: readonly ModelWarning[];
  /** The model as it is written: its tensors in the order and under the names that they have there. */
  readonly model: Model;
}

export type ConversionTarget = "safetensors" | "npz" | "onnx" | "tfjs";

/** Formats that a model can be written in, with the endings that their files have. */
export const conversionTargets: Readonly<Record<ConversionTarget, RegExp>> = {
  safetensors: /\.safetensors$/i,
  npz: /\.npz$/i,
  onnx: /\.onnx$/i,
  tfjs: /\.json$/i,
};

const writers: Readonly<Record<ConversionTarget, (model: Model) => Promise<Conversion>>> = {
  async safetensors(model) {
    const turned = inOrder(model, "torch");
    return { ...turned, files: [{ file: null, pieces: modelSafetensors(turned.model) }] };
  },
  async npz(model) {
    const turned = inOrder(model, "torch");
    const named = withSafeNames(turned.model);
    return {
      model: named.model,
      warnings: [...turned.warnings, ...named.warnings],
      files: [{ file: null, pieces: writeModelNpz(named.model) }],
    };
  },
  async onnx(model) {
    const { pieces, warnings } = await writeOnnx(model);
    return { model, warnings, files: [{ file: null, pieces }] };
  },
  async tfjs(model) {
    const { kind, files, warnings } = writeTfjs(model);
    if (kind === "layers") return { model, warnings, files };
    const turned = inOrder(model, "keras");
    const manifest = writeTfjs(turned.model);
    return {
      ...manifest,
      model: turned.model,
      warnings: [...turned.warnings, ...manifest.warnings],
    };
  },
};

/**
 * The files of `model` in another format; values are read while they are written.
 * @throws {FormatError} `FORMAT_UNSUPPORTED` for what the target cannot hold; {UsageError} `USAGE_INVALID_OPTION` for a name that
 *   stands twice
 */
export function convertModel(model: Model, to: ConversionTarget): Promise<Conversion> {
  return writers[to](model);
}

/** Entries of archives must not look like paths out of a folder: `/model/weight` becomes `model/weight`. */
function withSafeNames(model: Model): Pick<Conversion, "warnings" | "model"> {
  let shortened = 0;
  const tensors = model.tensors.map((tensor): StoredTensor => {
    const parts = tensor.name.split(/[\\/]/).filter((part) => !["", ".", ".."].includes(part));
    const path = parts.join("/").replace(/^[a-z]:/i, "");
    const name = path.replace(/\p{Cc}/gu, "_") || "_";
    if (name === tensor.name) return tensor;
    shortened++;
    return { ...tensor, name };
  });
  const message = `${shortened} names that look like paths were shortened`;
  const warnings = shortened === 0 ? [] : [{ code: "NAMES_SHORTENED", message }];
  return { model: { ...model, tensors }, warnings };
}

/**
 * That `found` holds the tensors of `written`, by name or, where the format has layers of its own, weight layer by weight layer;
 * values rounded to the type that they were written in. Memory: two tensors.
 * @throws {FormatError} `FORMAT_MALFORMED` if one is not there as it was
 */
export async function checkConversion({ model }: Conversion, found: Model): Promise<void> {
  for (const partners of partnersOf(model, found)) {
    const { tensor, from } = partners;
    const wanted = await partners.read();
    const values = await tensor.read();
    const rounded = decodeTensor(encodeTensor(wanted, tensor.dtype), tensor.dtype, wanted.length);
    const isSame =
      values.length === rounded.length && values.every((value, i) => Object.is(value, rounded[i]));
    if (!isSame) throw notTheSame(found, from.name);
  }
}

interface Partners {
  readonly tensor: StoredTensor;
  readonly from: StoredTensor;
  read(): Promise<FloatArray>;
}

function partnersOf(model: Model, found: Model): readonly Partners[] {
  const byName = new Map(found.tensors.map((tensor) => [tensor.name, tensor]));
  const sources = model.tensors.filter(
    ({ role, dtype }) => role !== "constant" && !isComplex(dtype),
  );
  const pairs = sources.flatMap((from): Partners[] => {
    const tensor = byName.get(from.name);
    const fits = tensor !== undefined && sameShape(tensor.shape, from.shape);
    return fits ? [{ tensor, from, read: () => from.read() }] : [];
  });
  if (pairs.length === sources.length) return pairs;
  if (model.layers.length === found.layers.length) {
    return matchTensors(found, model, { by: "order" });
  }
  const lost = sources.find((from) => pairs.every((pair) => pair.from !== from));
  throw notTheSame(found, lost!.name);
}

function notTheSame(written: Model, name: string): FormatError {
  return new FormatError("FORMAT_MALFORMED", `${name} does not read back as it was written`, {
    path: [written.name],
    hint: "The output is not to be trusted: please report this.",
  });
}
