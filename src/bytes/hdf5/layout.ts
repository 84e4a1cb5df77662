/** Where an array's bytes lie: in its header, in one place, or in chunks. Layout messages of versions 1 to 4. */
import { FormatError } from "../../errors.ts";
import { Cursor } from "./cursor.ts";
import type { Block } from "./objectHeader.ts";

export type DataLayout =
  | {
      readonly kind: "compact";
      readonly address: number;
      readonly byteLength: number;
      readonly checked: Block | null;
    }
  /** `address` is null for an array that was never written. */
  | { readonly kind: "contiguous"; readonly address: number | null }
  | ChunkedLayout;

export interface ChunkedLayout {
  readonly kind: "chunked";
  /** Of a chunk, in elements. */
  readonly shape: readonly number[];
  readonly index: ChunkIndex;
}

type ChunkIndex =
  | {
      readonly kind: "tree1" | "tree2" | "implicit" | "fixed" | "extensible";
      readonly address: number | null;
    }
  | {
      readonly kind: "single";
      readonly address: number | null;
      /** Of a packed chunk, with the place where both are noted. */
      readonly packed: {
        readonly byteLength: number;
        readonly mask: number;
        readonly at: number;
        readonly block: Block | null;
      } | null;
      /** Place of the address. */
      readonly at: number;
    };

const indexKinds = ["single", "implicit", "fixed", "extensible", "tree2"] as const;

/** @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_UNSUPPORTED` for virtual arrays and unknown kinds */
export function parseLayout(cursor: Cursor, checked: Block | null): DataLayout {
  const version = cursor.u8();
  if (version < 1 || version > 4) throw unsupported(cursor, `a layout of version ${version}`);
  if (version < 3) return oldLayout(cursor, checked);
  const kind = cursor.u8();
  if (kind === 0) return compact(cursor, cursor.u16(), checked);
  if (kind === 1) return { kind: "contiguous", address: cursor.offset() };
  if (kind === 3) throw unsupported(cursor, "a virtual array (parts of other files)");
  if (kind !== 2) throw unsupported(cursor, `a layout of kind ${kind}`);
  return version === 3 ? chunked3(cursor) : chunked4(cursor, checked);
}

function compact(cursor: Cursor, byteLength: number, checked: Block | null): DataLayout {
  const { address } = cursor;
  cursor.skip(byteLength);
  return { kind: "compact", address, byteLength, checked };
}

function oldLayout(cursor: Cursor, checked: Block | null): DataLayout {
  const rank = cursor.u8();
  const kind = cursor.u8();
  cursor.skip(5);
  const address = kind === 0 ? null : cursor.offset();
  const shape = sizes(cursor, rank, 4);
  if (kind === 0) return compact(cursor, cursor.u32(), checked);
  if (kind === 1) return { kind: "contiguous", address };
  return { kind: "chunked", shape: shape.slice(0, -1), index: { kind: "tree1", address } };
}

function chunked3(cursor: Cursor): DataLayout {
  const rank = cursor.u8();
  const address = cursor.offset();
  const shape = sizes(cursor, rank, 4).slice(0, -1);
  return { kind: "chunked", shape, index: { kind: "tree1", address } };
}

function chunked4(cursor: Cursor, checked: Block | null): DataLayout {
  const flags = cursor.u8();
  const rank = cursor.u8();
  const width = cursor.u8();
  const shape = sizes(cursor, rank, width).slice(0, -1);
  const kind = indexKinds[cursor.u8() - 1];
  if (kind === undefined) throw unsupported(cursor, "an index of chunks of this kind");
  if (kind !== "single") {
    cursor.skip({ implicit: 0, fixed: 1, extensible: 5, tree2: 6 }[kind]);
    return { kind: "chunked", shape, index: { kind, address: cursor.offset() } };
  }
  const at = cursor.address;
  const isPacked = (flags & 2) !== 0;
  const packed = isPacked
    ? { byteLength: cursor.length(), mask: cursor.u32(), at, block: checked }
    : null;
  const addressAt = cursor.address;
  return {
    kind: "chunked",
    shape,
    index: { kind, packed, at: addressAt, address: cursor.offset() },
  };
}

function sizes(cursor: Cursor, rank: number, width: number): number[] {
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) shape.push(cursor.uint(width));
  return shape;
}

function unsupported({ path }: Cursor, what: string): FormatError {
  return new FormatError("FORMAT_UNSUPPORTED", `${what} is not read`, {
    path,
    hint: "Write the array again with the default layout.",
  });
}
