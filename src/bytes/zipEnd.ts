/** The records at the very end of a zip archive, which say where its directory lies. Source: PKWARE APPNOTE 6.3.10, 4.3.14 to 16. */
import { FormatError } from "../errors.ts";
import type { ByteSource } from "./source.ts";

export interface ZipEnd {
  readonly count: number;
  /** Of the directory. */
  readonly start: number;
  readonly byteLength: number;
}

const endLength = 22;
const locatorLength = 20;
const zip64Length = 56;
const maxComment = 0xffff;

/** @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_TRUNCATED`, `FORMAT_UNSUPPORTED` for archives in several parts */
export async function endOfZip(source: ByteSource): Promise<ZipEnd> {
  const total = source.byteLength;
  const tailStart = Math.max(0, total - endLength - maxComment - locatorLength);
  const tail = await source.slice(tailStart, total);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const at = endAt(view);
  if (at === null) {
    throw new FormatError("FORMAT_TRUNCATED", "the zip archive has no directory at its end", {
      path: [source.name],
      hint: "The file is cut short or damaged: fetch it again.",
    });
  }
  const parts = [view.getUint16(at + 4, true), view.getUint16(at + 6, true)];
  const own = {
    count: view.getUint16(at + 10, true),
    byteLength: view.getUint32(at + 12, true),
    start: view.getUint32(at + 16, true),
  };
  const isOnePart = parts.every((part) => part === 0 || part === 0xffff);
  if (!isOnePart || view.getUint16(at + 8, true) !== own.count) throw inParts(source);
  const locator = at - locatorLength;
  const hasZip64 = locator >= 0 && view.getUint32(locator, true) === 0x07064b50;
  const wide = hasZip64 ? await zip64End(source, view, { locator, tailStart }) : null;
  const end = wide === null ? own : joined(own, wide, source);
  const directoryEnd = wide === null ? tailStart + at : wide.at;
  if (end.start + end.byteLength !== directoryEnd || end.count * 46 > end.byteLength) {
    throw malformed("its directory is not where it is announced", source);
  }
  return end;
}

/** The last record whose comment ends with the file. */
function endAt(view: DataView): number | null {
  for (let at = view.byteLength - endLength; at >= 0; at--) {
    if (view.getUint32(at, true) !== 0x06054b50) continue;
    if (at + endLength + view.getUint16(at + 20, true) === view.byteLength) return at;
  }
  return null;
}

async function zip64End(
  source: ByteSource,
  tail: DataView,
  { locator, tailStart }: { readonly locator: number; readonly tailStart: number },
): Promise<ZipEnd & { readonly at: number }> {
  const at = Number(tail.getBigUint64(locator + 8, true));
  if (!Number.isSafeInteger(at) || at + zip64Length > tailStart + locator) {
    throw malformed("its 64-bit directory is not where it is announced", source);
  }
  const bytes = await source.slice(at, at + zip64Length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const number = (offset: number): number => Number(view.getBigUint64(offset, true));
  if (view.getUint32(0, true) !== 0x06064b50 || at + 12 + number(4) !== tailStart + locator) {
    throw malformed("its 64-bit directory is not where it is announced", source);
  }
  const count = number(32);
  if (view.getUint32(16, true) + view.getUint32(20, true) > 0 || number(24) !== count) {
    throw inParts(source);
  }
  return { count, byteLength: number(40), start: number(48), at };
}

/** Numbers that stand in both records must agree; one that has no room in the older is masked there. */
function joined(own: ZipEnd, { count, start, byteLength }: ZipEnd, source: ByteSource): ZipEnd {
  const agree = (short: number, long: number, mask: number): boolean =>
    short === long || short === mask;
  if (
    !agree(own.count, count, 0xffff) ||
    !agree(own.byteLength, byteLength, 0xffffffff) ||
    !agree(own.start, start, 0xffffffff)
  ) {
    throw malformed("its two directories differ", source);
  }
  return { count, start, byteLength };
}

function inParts(source: ByteSource): FormatError {
  return new FormatError("FORMAT_UNSUPPORTED", "the zip archive is one of several parts", {
    path: [source.name],
    hint: "Join the parts first.",
  });
}

function malformed(what: string, source: ByteSource): FormatError {
  return new FormatError("FORMAT_MALFORMED", `not a sound zip archive: ${what}`, {
    path: [source.name],
    hint: "The file is cut short or damaged: fetch it again.",
  });
}
