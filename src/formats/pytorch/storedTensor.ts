/** A tensor that a pickle describes, with its values where the file has them. */
import { FormatError } from "../../errors.ts";
import type { StoredTensor } from "../../model/model.ts";
import { decodeTensor } from "../../tensor/decode.ts";
import { bitsOf, byteLengthOf, isComplex, type FloatArray } from "../../tensor/dtype.ts";
import { checkedCount } from "../checkedCount.ts";
import { quantiserFor, type Steps } from "./quantised.ts";
import { densify } from "./sparse.ts";
import type { TorchFile } from "./storages.ts";
import { gather, isRowMajor, reachOf, repeats, swapBytes } from "./strides.ts";
import { pickledBytes, type TensorRecord } from "./tensorRecord.ts";

export type Tensor = Omit<StoredTensor, "role">;

/** Where the elements of a record lie, in bytes. */
export interface Place {
  readonly begin: number;
  readonly end: number;
  readonly isPlain: boolean;
  /** Elements have to be turned round. */
  readonly bigEndian: boolean;
  read(start: number, end: number): Promise<Uint8Array>;
  /** Of byte `begin`, where it lies in the file as it is. */
  readonly offset: number | null;
  /** True where new bytes can be put into a copy of the file: in an archive, packed or not, or at a place of their own. */
  readonly isInFile: boolean;
}

type ErrorPath = readonly string[];

/**
 * @throws {FormatError} `FORMAT_MALFORMED` for a tensor past its storage, `FORMAT_TRUNCATED` for a storage that is missing,
 *   `FORMAT_UNSUPPORTED` for packed elements in an order of their own
 */
export async function storedTensor(
  name: string,
  record: TensorRecord,
  file: TorchFile,
  path: ErrorPath,
): Promise<Tensor> {
  const { dtype, shape } = record;
  const count = checkedCount(shape, path);
  const { data } = record;
  if (data.kind === "none")
    return { name, dtype, shape, read: () => Promise.reject(noValues(path)) };
  if (data.kind === "sparse") {
    const parts = await Promise.all(data.parts.map((part) => storedTensor(name, part, file, path)));
    const { layout } = data;
    return { name, dtype, shape, read: () => densify({ layout, shape, parts, path }) };
  }
  const place = await placeOf(record, file, path);
  const steps = await quantiserFor(record, (part) => storedTensor(name, part, file, path), path);
  return {
    ...plainTensor({ name, record, place, steps, count }),
    ...described(place, record, steps),
  };
}

function described(place: Place, record: TensorRecord, steps: Steps | null): Partial<Tensor> {
  const { begin, end, isPlain, bigEndian, offset, isInFile } = place;
  const hasLocation = isPlain && offset !== null && (!bigEndian || bitsOf(record.dtype) <= 8);
  return {
    ...(hasLocation && { location: { file: null, offset, byteLength: end - begin } }),
    ...(!hasLocation && isInFile && !repeats(record) && { repackable: true }),
    ...(steps && { quantisation: steps.title, encode: steps.encode }),
  };
}

function plainTensor(own: {
  readonly name: string;
  readonly record: TensorRecord;
  readonly place: Place;
  readonly steps: Steps | null;
  readonly count: number;
}): Tensor {
  const { name, record, place, steps, count } = own;
  const { dtype, shape } = record;
  const decoded = async (begin: number, end: number, length: number): Promise<FloatArray> => {
    const bytes = await place.read(begin, end);
    const turned = place.bigEndian ? swapBytes(bytes, byteLengthOf(dtype, 1)) : bytes;
    return decodeTensor(turned, dtype, length);
  };
  const meant = (values: FloatArray, first: number): FloatArray =>
    steps === null ? values : steps.decode(values, first);
  const { begin, end, isPlain } = place;
  const read = async (): Promise<FloatArray> => {
    if (isPlain) return meant(await decoded(begin, end, count), 0);
    const values = await decoded(begin, end, reachOf(record));
    return meant(gather(values, record), 0);
  };
  if (!isPlain || bitsOf(dtype) < 8) return { name, dtype, shape, read };
  const size = byteLengthOf(dtype, 1);
  return {
    name,
    dtype,
    shape,
    read,
    readSpan: async (from, to) =>
      meant(await decoded(begin + from * size, begin + to * size, to - from), from),
  };
}

/** @throws as `storedTensor` */
export async function placeOf(
  record: TensorRecord,
  file: TorchFile,
  path: ErrorPath,
): Promise<Place> {
  const { dtype, offset, data } = record;
  const isPlain = isRowMajor(record);
  const reach = reachOf(record);
  if (bitsOf(dtype) < 8 && (!isPlain || (offset * bitsOf(dtype)) % 8 !== 0)) {
    throw new FormatError(
      "FORMAT_UNSUPPORTED",
      `packed ${dtype} elements in an order of their own`,
      {
        path,
      },
    );
  }
  const begin = byteLengthOf(dtype, offset);
  const end = reach === 0 ? begin : byteLengthOf(dtype, offset + reach);
  const holder = await holderOf(data, file, path);
  if (!Number.isSafeInteger(end) || end > holder.byteLength) {
    throw new FormatError("FORMAT_MALFORMED", "the tensor reaches past its storage", { path });
  }
  const { read, bigEndian, isInFile } = holder;
  const start = holder.offset;
  return {
    begin,
    end,
    isPlain,
    read,
    isInFile,
    offset: start === null ? null : start + begin,
    bigEndian: bigEndian && !isComplex(dtype),
  };
}

async function holderOf(
  data: TensorRecord["data"],
  { storages, pickledOffset }: TorchFile,
  path: ErrorPath,
): Promise<
  Pick<Place, "read" | "offset" | "bigEndian" | "isInFile"> & { readonly byteLength: number }
> {
  if (data.kind === "pickled") {
    const own = data.bytes instanceof Uint8Array ? data.bytes : null;
    const length = own?.byteLength ?? pickledBytes(data).byteLength;
    const offset = own && pickledOffset(own);
    return {
      byteLength: length,
      bigEndian: data.bigEndian,
      offset,
      isInFile: offset !== null,
      read: async (start, end) => pickledBytes(data).subarray(start, end),
    };
  }
  const key = data.kind === "storage" ? data.key : "";
  const byteLength = storages.byteLength(key);
  if (byteLength === null) {
    throw new FormatError("FORMAT_TRUNCATED", `its storage ${key} is not in the file`, { path });
  }
  const offset = await storages.offset(key);
  return {
    byteLength,
    bigEndian: storages.bigEndian,
    offset,
    isInFile: offset !== null || storages.entryName(key) !== null,
    read: (start, end) => storages.read(key, start, end),
  };
}

function noValues(path: ErrorPath): FormatError {
  return new FormatError(
    "FORMAT_UNSUPPORTED",
    "the tensor has a shape, but no values in the file",
    {
      path,
      hint: "It was saved from torch's meta device, or belongs to a class that keeps its values elsewhere.",
    },
  );
}
