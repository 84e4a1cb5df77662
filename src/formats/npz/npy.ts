import { FormatError } from "../../errors.ts";
import { byteLengthOf, type DType } from "../../tensor/dtype.ts";
import type { Shape } from "../../tensor/shape.ts";
import { checkedCount } from "../checkedCount.ts";

export interface NpyHeader {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly isColumnMajor: boolean;
  /** Of the values. */
  readonly offset: number;
  readonly byteLength: number;
}

type Path = readonly (string | number)[];

export const npySignature: readonly number[] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

const dtypeOfCode: ReadonlyMap<string, DType> = new Map([
  ["f8", "float64"],
  ["f4", "float32"],
  ["f2", "float16"],
  ["i8", "int64"],
  ["i4", "int32"],
  ["i2", "int16"],
  ["i1", "int8"],
  ["u8", "uint64"],
  ["u4", "uint32"],
  ["u2", "uint16"],
  ["u1", "uint8"],
  ["b1", "bool"],
]);

/**
 * Reads the header of an .npy array of format 1 to 3: a signature, a length, a Python dictionary of three known keys. It is
 * matched, never evaluated. `total` is the length of the file.
 * @throws {FormatError} `FORMAT_TRUNCATED`, `FORMAT_MALFORMED`, `FORMAT_UNSUPPORTED` for objects and big-endian values
 */
export function parseNpyHeader(head: Uint8Array, total: number, path: Path): NpyHeader {
  const isLong = head[6] !== 1;
  const start = isLong ? 12 : 10;
  if (head.byteLength < start) {
    throw new FormatError("FORMAT_TRUNCATED", "the file ends in its header", { path });
  }
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const length = isLong ? view.getUint32(8, true) : view.getUint16(8, true);
  const offset = start + length;
  if (offset > head.byteLength) {
    throw new FormatError("FORMAT_TRUNCATED", `a header of ${length} bytes is announced`, { path });
  }
  const text = new TextDecoder("latin1").decode(head.subarray(start, offset));
  const code = /'descr'\s*:\s*'([<>|=]?)(\w+)'/.exec(text);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text);
  const dims = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(text);
  if (order === null || dims === null) {
    throw new FormatError("FORMAT_MALFORMED", "the header names no order or no shape", { path });
  }
  const dtype = code === null || code[1] === ">" ? undefined : dtypeOfCode.get(code[2]!);
  if (dtype === undefined) {
    throw new FormatError(
      "FORMAT_UNSUPPORTED",
      `elements of type ${code?.[0] ?? "object"} are not read`,
      {
        path,
        hint: "Little-endian numbers are read; Python objects never are.",
      },
    );
  }
  const shape = (dims[1]!.match(/\d+/g) ?? []).map(Number);
  const byteLength = byteLengthOf(dtype, checkedCount(shape, path));
  if (offset + byteLength > total) {
    throw new FormatError(
      "FORMAT_TRUNCATED",
      `the values take ${byteLength} bytes, ${total - offset} are there`,
      { path },
    );
  }
  return { dtype, shape, isColumnMajor: order[1] === "True", offset, byteLength };
}
