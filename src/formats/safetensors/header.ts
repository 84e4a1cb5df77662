import type { ByteSource } from "../../bytes/source.ts";
import { FormatError } from "../../errors.ts";
import { bitsOf, byteLengthOf, type DType } from "../../tensor/dtype.ts";
import type { Shape } from "../../tensor/shape.ts";
import { checkedCount } from "../checkedCount.ts";
import { isJsonObject, parseStrictJson } from "../strictJson.ts";

/** One entry of the header, its offsets counted from the start of the file. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly offset: number;
  readonly byteLength: number;
}

export interface SafetensorsHeader {
  /** In the order of their bytes. */
  readonly entries: readonly SafetensorsEntry[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** The format's own limit on the JSON text. */
export const maxHeaderLength = 100_000_000;

export const dtypeOfTag: ReadonlyMap<string, DType> = new Map([
  ["F64", "float64"],
  ["F32", "float32"],
  ["F16", "float16"],
  ["BF16", "bfloat16"],
  ["F8_E4M3", "float8_e4m3"],
  ["F8_E5M2", "float8_e5m2"],
  ["F8_E4M3FNUZ", "float8_e4m3fnuz"],
  ["F8_E5M2FNUZ", "float8_e5m2fnuz"],
  ["F8_E8M0", "float8_e8m0"],
  ["F6_E2M3", "float6_e2m3"],
  ["F6_E3M2", "float6_e3m2"],
  ["F4", "float4_e2m1"],
  ["I64", "int64"],
  ["I32", "int32"],
  ["I16", "int16"],
  ["I8", "int8"],
  ["U64", "uint64"],
  ["U32", "uint32"],
  ["U16", "uint16"],
  ["U8", "uint8"],
  ["BOOL", "bool"],
  ["C64", "complex64"],
]);

/**
 * Reads and checks the header: every tensor fits its shape, and the tensors fill the data without holes or overlaps.
 * @throws {FormatError} `FORMAT_TRUNCATED`, `FORMAT_LIMIT`, `FORMAT_MALFORMED`, `FORMAT_UNSUPPORTED` for an element type.
 */
export async function readSafetensorsHeader(source: ByteSource): Promise<SafetensorsHeader> {
  const length = headerLength(await source.slice(0, 8), source);
  const dataStart = 8 + length;
  const path = [source.name, "header"];
  const header = parseStrictJson(await source.slice(8, dataStart), { path, uniqueKeys: true });
  if (!isJsonObject(header)) {
    throw new FormatError("FORMAT_MALFORMED", "the header is not a JSON object", { path });
  }
  const entries: SafetensorsEntry[] = [];
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") metadata = metadataOf(value, [...path, name]);
    else entries.push(entryOf({ name, value, dataStart, path: [...path, name] }));
  }
  entries.sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  checkTiling(entries, dataStart, source);
  return { entries, metadata };
}

function headerLength(bytes: Uint8Array, source: ByteSource): number {
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  const path = [source.name, "header"];
  if (length > BigInt(source.byteLength - 8)) {
    throw new FormatError(
      "FORMAT_TRUNCATED",
      `the header takes ${length} bytes, ${source.byteLength - 8} are there`,
      { path, hint: "The file is cut short: fetch it again." },
    );
  }
  if (length > BigInt(maxHeaderLength)) {
    throw new FormatError("FORMAT_LIMIT", `a header of ${length} bytes is announced`, {
      path,
      hint: `The format allows ${maxHeaderLength}: the file is damaged or hostile.`,
    });
  }
  return Number(length);
}

function metadataOf(
  value: unknown,
  path: readonly (string | number)[],
): ReadonlyMap<string, string> {
  const pairs = isJsonObject(value) ? Object.entries(value) : null;
  if (pairs === null || pairs.some(([, text]) => typeof text !== "string")) {
    throw new FormatError("FORMAT_MALFORMED", "metadata must map text to text", { path });
  }
  return new Map(pairs as [string, string][]);
}

function entryOf(input: {
  name: string;
  value: unknown;
  dataStart: number;
  path: readonly (string | number)[];
}): SafetensorsEntry {
  const { name, value, dataStart, path } = input;
  if (!isJsonObject(value)) {
    throw new FormatError("FORMAT_MALFORMED", "a tensor must be an object", { path });
  }
  const { dtype: tag, shape, data_offsets: offsets } = value;
  if (typeof tag !== "string") {
    throw new FormatError("FORMAT_MALFORMED", "the dtype is missing", { path: [...path, "dtype"] });
  }
  const dtype = dtypeOfTag.get(tag);
  if (dtype === undefined) {
    throw new FormatError("FORMAT_UNSUPPORTED", `element type ${JSON.stringify(tag)} is not read`, {
      path: [...path, "dtype"],
      hint: `Types read: ${[...dtypeOfTag.keys()].join(", ")}.`,
    });
  }
  if (!isWholeNumbers(shape)) {
    throw new FormatError("FORMAT_MALFORMED", "the shape must be a list of whole numbers", {
      path: [...path, "shape"],
    });
  }
  if (!isWholeNumbers(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    throw new FormatError("FORMAT_MALFORMED", "data_offsets must be [begin, end], begin <= end", {
      path: [...path, "data_offsets"],
    });
  }
  const byteLength = offsets[1]! - offsets[0]!;
  const count = checkedCount(shape, path);
  if ((count * bitsOf(dtype)) % 8 !== 0) {
    throw new FormatError("FORMAT_MALFORMED", `${count} elements of ${tag} fill no whole bytes`, {
      path: [...path, "shape"],
    });
  }
  const needed = byteLengthOf(dtype, count);
  if (needed !== byteLength) {
    throw new FormatError(
      "FORMAT_MALFORMED",
      `${tag} [${shape.join(", ")}] takes ${needed} bytes, its offsets span ${byteLength}`,
      { path },
    );
  }
  return { name, dtype, shape, offset: dataStart + offsets[0]!, byteLength };
}

/** `entries` in order of offset must cover [dataStart, end of file) exactly once. */
function checkTiling(
  entries: readonly SafetensorsEntry[],
  dataStart: number,
  source: ByteSource,
): void {
  let end = dataStart;
  for (const { name, offset, byteLength } of entries) {
    const path = [source.name, "header", name, "data_offsets"];
    if (offset + byteLength > source.byteLength) {
      throw new FormatError(
        "FORMAT_TRUNCATED",
        `the tensor ends at byte ${offset + byteLength}, the file at ${source.byteLength}`,
        { path, hint: "The file is cut short: fetch it again." },
      );
    }
    if (offset !== end) {
      const what = offset < end ? "overlaps the tensor before it" : "leaves a hole before it";
      throw new FormatError("FORMAT_MALFORMED", `the tensor ${what}`, { path });
    }
    end += byteLength;
  }
  if (end !== source.byteLength) {
    throw new FormatError(
      "FORMAT_MALFORMED",
      `${source.byteLength - end} bytes follow the last tensor`,
      { path: [source.name] },
    );
  }
}

function isWholeNumbers(value: unknown): value is readonly number[] {
  return (
    Array.isArray(value) &&
    value.every((entry: unknown) => Number.isSafeInteger(entry) && (entry as number) >= 0)
  );
}
