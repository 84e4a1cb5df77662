/** IDX, the format of MNIST and its kin: a header of big-endian numbers, then the elements, the whole most often gzipped. */
import type { ByteSource } from "../bytes/source.ts";
import { FormatError } from "../errors.ts";
import { elementCount, type Shape } from "../tensor/shape.ts";
import { gunzip } from "./gunzip.ts";

export interface IdxArray {
  readonly shape: Shape;
  /** Row-major. */
  readonly values: Uint8Array;
}

/**
 * Reads an IDX file of unsigned bytes, plain or gzipped: two zeros, the element type (8), the number of axes, their lengths as
 * 32-bit integers, the elements. Every length is checked against what the file can hold before memory is taken.
 * Source: LeCun, Cortes and Burges, "The MNIST database", section "FILE FORMATS".
 * @throws {FormatError} `DATA_MALFORMED`, `FORMAT_TRUNCATED`
 */
export async function readIdx(source: ByteSource): Promise<IdxArray> {
  const fail = (message: string, cause?: unknown): never => {
    throw new FormatError("DATA_MALFORMED", message, {
      path: [source.name],
      cause,
      hint: "An IDX file of unsigned bytes is wanted, such as train-images-idx3-ubyte.gz.",
    });
  };
  const refuse = (cause: unknown): never => {
    throw cause instanceof FormatError ? cause : fail("the gzip stream is damaged", cause);
  };
  const stored = await source.slice(0, source.byteLength);
  const isZipped = stored[0] === 0x1f && stored[1] === 0x8b;
  const sizeOf = (head: Uint8Array): number => {
    const shape = readHeader(head, fail);
    const size = headerLength(shape.length) + elementCount(shape);
    // Deflate makes 258 bytes of two bits at best, so a short file cannot announce a long array.
    const most = isZipped ? stored.byteLength * 1032 : stored.byteLength;
    if (size > most)
      fail(`[${shape.join(", ")}] is announced, ${stored.byteLength} bytes are there`);
    return size;
  };
  const bytes = isZipped ? await gunzip(stored, sizeOf).catch(refuse) : stored;
  const size = sizeOf(bytes);
  if (bytes.byteLength !== size) fail(`${bytes.byteLength} bytes are there, ${size} announced`);
  const shape = readHeader(bytes, fail);
  return { shape, values: bytes.subarray(headerLength(shape.length)) };
}

function headerLength(axes: number): number {
  return 4 + 4 * axes;
}

function readHeader(bytes: Uint8Array, fail: (message: string) => never): Shape {
  const [zero, alsoZero, type, axes = 0] = bytes;
  if (bytes.byteLength < 4 || zero !== 0 || alsoZero !== 0) fail("no IDX file");
  if (type !== 8) fail(`elements of type ${type} are not read, only unsigned bytes (8)`);
  if (axes === 0 || bytes.byteLength < headerLength(axes)) fail("the header is cut short");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  const whole = shape.reduce((product, length) => product * length, 1);
  if (!Number.isSafeInteger(whole)) fail(`[${shape.join(", ")}] is more than any file holds`);
  return shape;
}
