import type { Model, ModelWarning, StoredTensor } from "../../model/model.ts";
import { encodeTensor, integerRange } from "../../tensor/encode.ts";
import { byteLengthOf, isComplex, isFloat, type DType } from "../../tensor/dtype.ts";
import { elementCount } from "../../tensor/shape.ts";
import type { PatchedFile } from "../format.ts";
import { sequentialOf } from "./sequential.ts";
import { shardWeights, type TensorToWrite } from "./shardWriter.ts";

export interface WrittenTfjs {
  /** `layers`: a Sequential that TensorFlow.js loads and runs. `manifest`: the tensors alone. */
  readonly kind: "layers" | "manifest";
  /** The model file (`file` null, usually `model.json`) and its shards. */
  readonly files: readonly PatchedFile[];
  /** What the files do not say, or say with less precision. */
  readonly warnings: readonly ModelWarning[];
}

/**
 * A model as TensorFlow.js files. A plain chain of dense and convolutional layers, each with its bias or none, becomes a
 * layers-model, its kernels turned to [...taps, in, out]; anything else a bare manifest of the tensors as they are stored.
 * Memory: one tensor at a time, while the shards are written.
 */
export function writeTfjs(model: Model): WrittenTfjs {
  const sequential = sequentialOf(model);
  if (sequential !== null) {
    const { manifest, files } = shardWeights(sequential.tensors);
    const json = {
      format: "layers-model",
      generatedBy: "weightgraph",
      convertedBy: null,
      modelTopology: sequential.topology,
      weightsManifest: manifest,
    };
    const message =
      "a model's weights do not say its activations, strides and pooling: the layers are linear, and convolutions keep the size of their input";
    const warnings = [{ code: "ACTIVATIONS_UNKNOWN", message }];
    return { kind: "layers", files: [jsonFile(json), ...files], warnings };
  }
  const { tensors, warnings } = plainTensors(model);
  const { manifest, files } = shardWeights(tensors);
  const message =
    "the model is no plain chain of dense and convolutional layers, so that its tensors were written without a topology";
  return {
    kind: "manifest",
    files: [jsonFile({ generatedBy: "weightgraph", weightsManifest: manifest }), ...files],
    warnings: [{ code: "TOPOLOGY_NOT_WRITTEN", message }, ...warnings],
  };
}

function jsonFile(json: object): PatchedFile {
  const bytes = new TextEncoder().encode(JSON.stringify(json));
  return { file: null, pieces: [{ kind: "bytes", bytes }] };
}

/** Every tensor under its own name, in the nearest type that TensorFlow.js has. */
function plainTensors({ tensors }: Model): {
  tensors: TensorToWrite[];
  warnings: ModelWarning[];
} {
  const written: TensorToWrite[] = [];
  const warnings: ModelWarning[] = [];
  const names = new Set<string>();
  for (const tensor of tensors) {
    const type = isComplex(tensor.dtype) || names.has(tensor.name) ? null : typeFor(tensor);
    if (type === null) {
      const message = `${tensor.name} (${tensor.dtype}) has no place among TensorFlow.js' tensors and was left out`;
      warnings.push({ code: "TENSOR_NOT_WRITTEN", message });
      continue;
    }
    names.add(tensor.name);
    written.push(toWrite(tensor, type));
  }
  const rounded = tensors.filter(
    ({ dtype, quantisation }) => dtype === "float64" || quantisation !== undefined,
  );
  if (rounded.length > 0) {
    const message = `${rounded.length} tensors of float64 or quantised values were rounded to float32`;
    warnings.push({ code: "TENSOR_ROUNDED", message });
  }
  return { tensors: written, warnings };
}

type WrittenType = "float32" | "float16" | "int32" | "bool";

function typeFor({ dtype, quantisation }: StoredTensor): WrittenType | null {
  if (quantisation !== undefined) return "float32";
  if (dtype === "float16" || dtype === "bool") return dtype;
  if (isFloat(dtype)) return "float32";
  // Of 64 bits and unsigned of 32: those that fit are told when they are encoded.
  return "int32";
}

function toWrite(tensor: StoredTensor, type: WrittenType): TensorToWrite {
  const { name, shape } = tensor;
  const isHalf = type === "float16";
  return {
    entry: {
      name,
      shape,
      dtype: isHalf ? "float32" : type,
      ...(isHalf && { quantization: { dtype: type } }),
    },
    byteLength: byteLengthOf(type, elementCount(shape)),
    bytes: async () => encodeTensor(clipped(await tensor.read(), tensor.dtype, type), type),
  };
}

type Values = Awaited<ReturnType<StoredTensor["read"]>>;

/** Positions past int32 (an end of 2^63 - 1, meaning "all") become its last number. */
function clipped(values: Values, from: DType, to: WrittenType): Values {
  if (to !== "int32" || from === "int32") return values;
  const [least, largest] = integerRange("int32");
  return values.map((value) => Math.min(Math.max(value, least), largest));
}
