/** A model of any format as a new ONNX file. */
import { piecesLength, type Piece } from "../../bytes/pieces.ts";
import { FormatError, UsageError } from "../../errors.ts";
import type { Model, ModelWarning, StoredTensor, WeightLayer } from "../../model/model.ts";
import { isComplex, type DType } from "../../tensor/dtype.ts";
import { elementCount, sameShape } from "../../tensor/shape.ts";
import { encodedPieces } from "../encodedPieces.ts";
import { codeOf } from "./tensorProto.ts";
import { draftGraph, type GraphDraft } from "./writeGraph.ts";
import { modelProto, type WrittenTensor } from "./writeProto.ts";

export interface OnnxFile {
  /** To be streamed: `pieceChunks`, `joinPieces`. Tensors are read and encoded when their turn comes. */
  readonly pieces: readonly Piece[];
  /** What the file does not say, or says otherwise. */
  readonly warnings: readonly ModelWarning[];
}

/** What protobuf's libraries read. */
const sizeLimit = 2 ** 31 - 1;

/** The IR version and the opset that first had a type; the rest is at home in IR 8, opset 17. */
const since: Readonly<Partial<Record<DType, readonly [number, number]>>> = {
  float8_e4m3: [9, 19],
  float8_e5m2: [9, 19],
  float8_e4m3fnuz: [9, 19],
  float8_e5m2fnuz: [9, 19],
  int4: [10, 21],
  uint4: [10, 21],
  float4_e2m1: [11, 23],
  float8_e8m0: [12, 24],
  int2: [13, 25],
  uint2: [13, 25],
};

/**
 * The tensors of a model under their own names, in their own types and shapes, as initializers; dequantised ones as float32. Dense,
 * convolutional and embedding layers become operators on them, connected as the neurons are: the file runs, and is read back as
 * the same graph. It does not compute what the network computed, since a `Model` knows no activations, pooling or strides.
 * @throws {UsageError} `USAGE_INVALID_OPTION` for a name that is empty or stands twice; {FormatError} `FORMAT_LIMIT` over 2 GiB
 */
export async function writeOnnx(model: Model): Promise<OnnxFile> {
  const { tensors, left } = writtenTensors(model);
  const names = new Set<string>();
  for (const { name } of tensors) {
    if (name === "" || names.has(name)) {
      const message = name === "" ? "a tensor has no name" : `the name ${name} is taken`;
      throw new UsageError("USAGE_INVALID_OPTION", message, { path: [model.name, name] });
    }
    names.add(name);
  }
  const unique = (wanted: string): string => {
    let name = wanted;
    for (let i = 2; names.has(name); i++) name = `${wanted}#${i}`;
    names.add(name);
    return name;
  };
  const draft = draftGraph(writable(model, tensors), {
    dtype: flowType(model, tensors),
    unique,
    biasOf: biasFinder(model, tensors),
    typeOf: (tensor) => writtenType(tensor) ?? "float32",
  });
  const written = tensors.map((tensor): WrittenTensor => {
    const dtype = writtenType(tensor)!;
    const isWide = dtype === "int64" || dtype === "uint64";
    const pieces = isWide ? widePieces(tensor, dtype) : encodedPieces(tensor, dtype);
    return { name: tensor.name, dtype, shape: tensor.shape, pieces };
  });
  const loose = written.filter(({ name }) => !draft.read.has(name));
  for (const { name, dtype, shape } of loose) {
    const output = unique(`${name}/value`);
    draft.nodes.push({ opType: "Identity", inputs: [name], outputs: [output] });
    draft.outputs.push({ name: output, dtype, shape });
  }
  const versions = written.map(({ dtype }) => since[dtype] ?? [8, 17]);
  const graph = { name: model.name || "model", ...draft, tensors: [...written, ...draft.extra] };
  const pieces = modelProto(graph, {
    irVersion: Math.max(8, ...versions.map(([ir]) => ir)),
    opset: Math.max(17, ...versions.map(([, opset]) => opset)),
  });
  const byteLength = piecesLength(pieces);
  if (byteLength > sizeLimit) {
    throw new FormatError("FORMAT_LIMIT", `an ONNX file of ${byteLength} bytes is past 2 GiB`, {
      path: [model.name],
      hint: "Write the model as safetensors, which has no such limit.",
    });
  }
  return { pieces, warnings: warningsOf(draft, left) };
}

/** Every tensor that has a type in ONNX, and the weights that stand in none as they are read (parts, folded constants). */
function writtenTensors(model: Model): { tensors: StoredTensor[]; left: StoredTensor[] } {
  const own = new Set(model.tensors.map(({ name }) => name));
  const more = new Map<string, StoredTensor>();
  for (const { tensor } of model.layers) if (!own.has(tensor.name)) more.set(tensor.name, tensor);
  const all = [...model.tensors, ...more.values()];
  return {
    tensors: all.filter((tensor) => writtenType(tensor) !== null),
    left: all.filter((tensor) => writtenType(tensor) === null),
  };
}

/** 64-bit integers as they are read, in doubles: indices that mean "to the end" lie past 2^53, rounded up to 2^63 even. */
function widePieces(tensor: StoredTensor, dtype: "int64" | "uint64"): readonly Piece[] {
  const [least, largest] =
    dtype === "int64" ? [-(2n ** 63n), 2n ** 63n - 1n] : [0n, 2n ** 64n - 1n];
  const clamp = (value: number): bigint => {
    const whole = BigInt(Math.trunc(value));
    return whole < least ? least : whole > largest ? largest : whole;
  };
  const make = async (): Promise<Uint8Array> => {
    const values = Array.from(await tensor.read(), clamp);
    return new Uint8Array(BigUint64Array.from(values).buffer);
  };
  return [{ kind: "made", byteLength: 8 * elementCount(tensor.shape), make }];
}

/** Null for what is left out; types that ONNX lacks become float32. */
function writtenType({ dtype, quantisation }: StoredTensor): DType | null {
  if (quantisation !== undefined) return "float32";
  if (dtype === "unknown" || isComplex(dtype)) return null;
  return codeOf(dtype) === null ? "float32" : dtype;
}

/** The model with the layers alone whose tensor is written as they read it. */
function writable(model: Model, tensors: readonly StoredTensor[]): Model {
  const shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
  const fits = ({ tensor }: WeightLayer): boolean => {
    const shape = shapes.get(tensor.name);
    return shape !== undefined && sameShape(shape, tensor.shape);
  };
  const wires = model.topology.wires.filter(({ layer }) => fits(model.layers[layer]!));
  return { ...model, topology: { ...model.topology, wires } };
}

/** The weights' own type where all have one that runtimes multiply in, else float32. */
function flowType({ layers }: Model, tensors: readonly StoredTensor[]): DType {
  const names = new Set(layers.map(({ tensor }) => tensor.name));
  const types = new Set(
    tensors.filter(({ name }) => names.has(name)).map((own) => writtenType(own)),
  );
  const [only] = types;
  const isDense = layers.every(({ kind }) => kind.endsWith("dense") || kind === "embedding");
  if (types.size !== 1) return "float32";
  return only === "float16" || (only === "float64" && isDense) ? only : "float32";
}

/** `fc1.bias` of `fc1.weight`: a bias of as many numbers as the layer has neurons, with the same name but for its last part. */
function biasFinder(
  { layers }: Model,
  tensors: readonly StoredTensor[],
): (layer: WeightLayer) => StoredTensor | null {
  const stem = (name: string): string => name.replace(/[^./]*$/, "");
  const found = new Map<WeightLayer, StoredTensor>();
  const free = tensors.filter(({ role, shape }) => role === "bias" && shape.length === 1);
  for (const layer of layers) {
    const own = stem(layer.tensor.name);
    const at = free.findIndex(
      ({ name, shape }) => own !== "" && stem(name) === own && elementCount(shape) === layer.out,
    );
    if (at >= 0) found.set(layer, ...(free.splice(at, 1) as [StoredTensor]));
  }
  return (layer) => found.get(layer) ?? null;
}

function warningsOf(draft: GraphDraft, left: readonly StoredTensor[]): ModelWarning[] {
  const warnings: ModelWarning[] = [];
  const warn = (code: string, message: string, names: readonly string[]): void => {
    if (names.length > 0) warnings.push({ code, message: `${message}: ${names.join(", ")}` });
  };
  const layers = draft.nodes.filter(({ opType }) =>
    /^(Gemm|Conv|ConvTranspose|Gather)$/.test(opType),
  );
  if (layers.length > 0) {
    warnings.push({
      code: "WRITTEN_LINEAR",
      message:
        "the file connects the layers as they were, but computes each as linear, with padding and without strides: " +
        "activations, pooling and normalisation are not known",
    });
  }
  const nameOf = ({ name }: { readonly name: string }): string => name;
  warn("WRITTEN_UNCONNECTED", "these layers read an input of their own", draft.cut.map(nameOf));
  warn(
    "WRITTEN_AS_TENSOR",
    "these layers have no operator and are kept as tensors alone",
    draft.left.map(nameOf),
  );
  warn("TENSOR_LEFT_OUT", "these tensors have a type that is not written", left.map(nameOf));
  return warnings;
}
