import type { ByteSource } from "../../bytes/source.ts";
import { FormatError } from "../../errors.ts";
import type { Shape } from "../../tensor/shape.ts";
import { checkedCount } from "../checkedCount.ts";
import { cursorOn } from "./cursor.ts";
import {
  readKeyValues,
  readLength,
  readNumber,
  readText,
  type GgufReading,
  type GgufValue,
} from "./keyValues.ts";
import { ggmlTypes, type GgmlType } from "./types.ts";

export interface GgufTensor {
  readonly name: string;
  /** Number of the type in the file. */
  readonly typeId: number;
  /** Null for a type that is not known, so that its size is not either. */
  readonly type: GgmlType | null;
  /** Row-major: the file's own order turned round. */
  readonly shape: Shape;
  readonly count: number;
  /** In the file. */
  readonly offset: number;
  /** Null where the type is not known. */
  readonly byteLength: number | null;
}

export interface GgufHeader {
  readonly version: number;
  readonly keyValues: ReadonlyMap<string, GgufValue>;
  /** In the order of the header. */
  readonly tensors: readonly GgufTensor[];
}

export const ggufSignature: readonly number[] = [0x47, 0x47, 0x55, 0x46];

type Path = readonly (string | number)[];

const maxPairs = 65536;
const maxTensors = 2 ** 20;
const maxDimensions = 4;
const maxNameLength = 65535;
const maxAlignment = 2 ** 20;

/**
 * Reads and checks the header of a GGUF file, versions 1 to 3: every tensor lies in the file, at its alignment, in no other.
 * @throws {FormatError} `FORMAT_TRUNCATED`, `FORMAT_MALFORMED`, `FORMAT_LIMIT`, `FORMAT_UNSUPPORTED` for other versions and
 *   big-endian files
 */
export async function readGgufHeader(source: ByteSource): Promise<GgufHeader> {
  const path = [source.name, "header"];
  const cursor = cursorOn(source, path);
  await cursor.need(8);
  cursor.skip(4);
  const version = versionOf(cursor.take(4).getUint32(0, true), path);
  const reading = { cursor, version, path };
  const tensorCount = await readLength(reading);
  const pairCount = await readLength(reading);
  if (tensorCount > maxTensors || pairCount > maxPairs) {
    throw new FormatError("FORMAT_LIMIT", `${tensorCount} tensors, ${pairCount} pairs`, {
      path,
      hint: `At most ${maxTensors} tensors and ${maxPairs} pairs are read.`,
    });
  }
  const keyValues = await readKeyValues(reading, pairCount);
  const infos: TensorInfo[] = [];
  for (let i = 0; i < tensorCount; i++) infos.push(await readInfo(reading));
  const alignment = alignmentOf(keyValues, path);
  const dataStart = Math.ceil(cursor.at / alignment) * alignment;
  const tensors = infos.map((info) => tensorOf(info, { dataStart, alignment, path }));
  checkPlaces(tensors, source, path);
  return { version, keyValues, tensors };
}

function versionOf(version: number, path: Path): number {
  if (version >= 1 && version <= 3) return version;
  const isBigEndian = (version & 0xffff) === 0 && version !== 0;
  throw new FormatError(
    "FORMAT_UNSUPPORTED",
    isBigEndian ? "the file is big-endian" : `version ${version} of GGUF is not known`,
    {
      path,
      hint: isBigEndian
        ? "Convert it to little-endian, as most files are."
        : "Versions 1 to 3 are read.",
    },
  );
}

interface TensorInfo {
  readonly name: string;
  readonly dimensions: readonly number[];
  readonly typeId: number;
  readonly offset: number;
}

async function readInfo(reading: GgufReading): Promise<TensorInfo> {
  const { cursor, path } = reading;
  const name = await readText(reading, maxNameLength);
  const rank = await readNumber(reading, 4);
  if (rank > maxDimensions) {
    throw new FormatError("FORMAT_MALFORMED", `a tensor has no ${rank} dimensions`, {
      path: [...path, name],
    });
  }
  const inner = { ...reading, path: [...path, name] };
  const dimensions: number[] = [];
  for (let axis = 0; axis < rank; axis++) dimensions.push(await readLength(inner));
  const typeId = await readNumber(reading, 4);
  const pending = cursor.need(8);
  if (pending !== undefined) await pending;
  const offset = Number(cursor.take(8).getBigUint64(0, true));
  return { name, dimensions, typeId, offset };
}

function alignmentOf(keyValues: ReadonlyMap<string, GgufValue>, path: Path): number {
  const alignment = keyValues.get("general.alignment") ?? 32;
  const isPower = typeof alignment === "number" && Number.isInteger(Math.log2(alignment));
  if (isPower && alignment >= 1 && alignment <= maxAlignment) return alignment;
  throw new FormatError("FORMAT_MALFORMED", "the alignment must be a power of two", {
    path: [...path, "general.alignment"],
  });
}

function tensorOf(
  { name, dimensions, typeId, offset }: TensorInfo,
  { dataStart, alignment, path }: { dataStart: number; alignment: number; path: Path },
): GgufTensor {
  const own = [...path, name];
  if (!Number.isSafeInteger(dataStart + offset) || offset % alignment !== 0) {
    throw new FormatError("FORMAT_MALFORMED", `the offset ${offset} is not aligned`, { path: own });
  }
  const shape = dimensions.toReversed();
  const count = checkedCount(shape, own);
  const type = ggmlTypes.get(typeId) ?? null;
  const row = dimensions[0] ?? 1;
  if (type !== null && row % type.elements !== 0) {
    throw new FormatError(
      "FORMAT_MALFORMED",
      `rows of ${row} elements are no whole blocks of ${type.elements}`,
      { path: own },
    );
  }
  const byteLength = type === null ? null : (count / type.elements) * type.bytes;
  return { name, typeId, type, shape, count, offset: dataStart + offset, byteLength };
}

/** Each in the file, none in another, no two of one name. */
function checkPlaces(tensors: readonly GgufTensor[], source: ByteSource, path: Path): void {
  const names = new Set<string>();
  let end = 0;
  for (const { name, offset, byteLength } of [...tensors].sort((a, b) => a.offset - b.offset)) {
    const own = [...path, name];
    const last = offset + (byteLength ?? 0);
    if (last > source.byteLength) {
      throw new FormatError(
        "FORMAT_TRUNCATED",
        `the tensor ends at byte ${last}, the file at ${source.byteLength}`,
        { path: own, hint: "The file is cut short: fetch it again." },
      );
    }
    if (offset < end && byteLength !== 0) {
      throw new FormatError("FORMAT_MALFORMED", "the tensor overlaps the one before it", {
        path: own,
      });
    }
    if (names.has(name)) {
      throw new FormatError("FORMAT_MALFORMED", "two tensors have this name", { path: own });
    }
    names.add(name);
    end = Math.max(end, last);
  }
}
