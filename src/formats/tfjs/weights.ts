import { checkSpan, type ByteSource } from "../../bytes/source.ts";
import { FormatError } from "../../errors.ts";
import type { StoredTensor } from "../../model/model.ts";
import { decodeSpan } from "../../tensor/decode.ts";
import { byteLengthOf, isComplex, type DType, type FloatArray } from "../../tensor/dtype.ts";
import { checkedCount } from "../checkedCount.ts";
import { dequantise, encodePlain, quantise, type Scaling } from "./quantisation.ts";
import type { WeightEntry, WeightGroup } from "./schema.ts";
import { checkFilled, runBytes, shardOpener, type ShardRun } from "./shards.ts";
import { textByteLength } from "./textTensor.ts";

type Path = readonly (string | number)[];

/** A tensor of the manifest; what it is for, the topology says. */
export type ManifestTensor = Omit<StoredTensor, "role">;

/** Where a tensor lies: in the run of a group's shards, from `offset` on. */
interface TensorPlace {
  readonly run: ShardRun;
  readonly offset: number;
}

export interface Manifest {
  /** Those that hold numbers, in file order. */
  readonly tensors: readonly ManifestTensor[];
  readonly places: ReadonlyMap<string, TensorPlace>;
  /** Names of tensors that hold text: word lists, labels. */
  readonly texts: readonly string[];
  /** Names of those that are the state of an optimiser. */
  readonly state: ReadonlySet<string>;
  /** Names of those that are whole numbers, however they are stored. */
  readonly integers: ReadonlySet<string>;
}

/**
 * The tensors of a manifest: those of a group lie one after the other in its shards, taken as one run of bytes.
 * Opens each shard to learn its length; reads no weights, but the lengths of texts.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_TRUNCATED` for shards that are short, `FORMAT_UNSUPPORTED`, `FORMAT_LIMIT`,
 * `FORMAT_LFS_POINTER`, `FILE_NOT_FOUND`, `FILE_OUTSIDE_FOLDER`
 */
export async function readManifest(
  source: ByteSource,
  groups: readonly WeightGroup[],
  path: Path,
): Promise<Manifest> {
  const open = shardOpener(source);
  const names = new Set<string>();
  const read = emptyManifest();
  for (const [i, group] of groups.entries()) {
    const run = group.data ?? (await open(group.paths, [...path, i]));
    let offset = 0;
    for (const [j, weight] of group.weights.entries()) {
      const at = [...path, i, "weights", j];
      if (names.has(weight.name)) {
        throw new FormatError("FORMAT_MALFORMED", `two tensors are called ${weight.name}`, {
          path: at,
        });
      }
      names.add(weight.name);
      offset += await addTensor(read, weight, { run, offset, path: at });
    }
    await checkFilled(run, offset, [...path, i]);
  }
  return read;
}

interface GrowingManifest extends Manifest {
  readonly tensors: ManifestTensor[];
  readonly places: Map<string, TensorPlace>;
  readonly texts: string[];
  readonly state: Set<string>;
  readonly integers: Set<string>;
}

function emptyManifest(): GrowingManifest {
  return {
    tensors: [],
    places: new Map(),
    texts: [],
    state: new Set(),
    integers: new Set(),
  };
}

interface Placing extends TensorPlace {
  readonly path: Path;
}

/** Returns the bytes it takes. */
async function addTensor(
  manifest: GrowingManifest,
  weight: WeightEntry,
  { run, offset, path }: Placing,
): Promise<number> {
  const { name, shape, group } = weight;
  if (weight.dtype === "string" && weight.quantization === undefined) {
    manifest.texts.push(name);
    return textByteLength(run, { offset, count: checkedCount(shape, path), path });
  }
  const { tensor, byteLength } = tensorOf(weight, { run, offset, path });
  manifest.tensors.push(tensor);
  manifest.places.set(name, { run, offset });
  if (group === "optimizer" || optimizerNames.test(name)) manifest.state.add(name);
  if (!/^(float|complex)/.test(valueType(weight))) manifest.integers.add(name);
  return byteLength;
}

/** What Keras calls them when they stand among the weights. */
const optimizerNames =
  /^(?:training(?:_\d+)?\/|optimizer(?:_weights)?\/|(?:Adam|Adamax|Adagrad|Adadelta|Nadam|RMSprop|SGD|Momentum|Ftrl)\/)/;

/** The type of the numbers that are meant, whatever they were packed into. */
function valueType({ dtype, quantization }: WeightEntry): string {
  return quantization?.original_dtype ?? dtype;
}

function tensorOf(
  weight: WeightEntry,
  { run, offset, path }: Placing,
): { tensor: ManifestTensor; byteLength: number } {
  const { name, shape, quantization } = weight;
  const dtype = storedType(quantization?.dtype ?? weight.dtype, path);
  const count = checkedCount(shape, path);
  const byteLength = byteLengthOf(dtype, count);
  const scaling = scalingOf(weight, path);
  const slice = (from: number, to: number): Promise<Uint8Array> =>
    runBytes(run, offset + from, offset + to);
  const readSpan = async (start: number, end: number): Promise<FloatArray> => {
    checkSpan(name, count, start, end);
    const stored = await decodeSpan(slice, dtype, [start, end]);
    return scaling === null ? stored : dequantise(stored, scaling);
  };
  const encode = encoderOf(dtype, scaling, [name]);
  const tensor: ManifestTensor = {
    name,
    shape,
    dtype,
    ...locationOf(run, offset, byteLength),
    ...(scaling && { quantisation: `x ${scaling.scale} + ${scaling.min}` }),
    ...(encode && { encode }),
    readSpan,
    read: () => readSpan(0, count),
  };
  return { tensor, byteLength };
}

/** Of a tensor that lies in one shard; one that runs over a border has none, and is patched shard by shard. */
function locationOf(
  { shards }: ShardRun,
  offset: number,
  byteLength: number,
): Pick<StoredTensor, "location"> {
  const shard = shards.find(
    ({ start, source }) => offset >= start && offset + byteLength <= start + source.byteLength,
  );
  if (shard === undefined || shard.path === null) return {};
  return { location: { file: shard.path, offset: offset - shard.start, byteLength } };
}

function encoderOf(
  dtype: DType,
  scaling: Scaling | null,
  path: Path,
): ((values: FloatArray) => Uint8Array) | null {
  if (isComplex(dtype)) return null;
  return (values) =>
    scaling === null ? encodePlain(values, dtype, path) : quantise(values, scaling, path);
}

function scalingOf({ quantization, ...weight }: WeightEntry, path: Path): Scaling | null {
  if (quantization === undefined || quantization.dtype === "float16") return null;
  const { dtype, scale, min } = quantization;
  if (scale === undefined || min === undefined) {
    throw new FormatError("FORMAT_MALFORMED", "integers need a scale and a min", {
      path: [...path, "quantization"],
    });
  }
  return { dtype, scale, min, isWhole: valueType({ ...weight, quantization }) === "int32" };
}

const types: ReadonlyMap<string, DType> = new Map([
  ["float32", "float32"],
  ["float16", "float16"],
  ["int32", "int32"],
  ["uint16", "uint16"],
  ["uint8", "uint8"],
  ["bool", "bool"],
  ["complex64", "complex64"],
]);

function storedType(name: string, path: Path): DType {
  const dtype = types.get(name);
  if (dtype !== undefined) return dtype;
  throw new FormatError("FORMAT_UNSUPPORTED", `tensors of type ${name} are not read`, {
    path: [...path, "dtype"],
    hint: `Types read: ${[...types.keys()].join(", ")}, string.`,
  });
}
