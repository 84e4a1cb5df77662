/** B-trees of version 2: records in the order of their key, whatever they are records of. */
import { FormatError } from "../../errors.ts";
import { Cursor, bytesFor } from "./cursor.ts";
import { blockAt, checkedBlockAt, type Block } from "./objectHeader.ts";
import type { Store } from "./superblock.ts";

export interface Tree2Record {
  readonly type: number;
  readonly cursor: Cursor;
  /** The node that it lies in, without its checksum. */
  readonly block: Block;
}

const maxDepth = 32;
/** Signature, version, type and checksum. */
const nodeOverhead = 10;

/** @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_TRUNCATED`, `FORMAT_LIMIT` */
export async function* walkTree2(store: Store, address: number): AsyncGenerator<Tree2Record> {
  const { offsets, lengths } = store.widths;
  const head = await checkedBlockAt(store, address, 16 + offsets + 2 + lengths);
  head.signature("BTHD");
  head.skip(1);
  const type = head.u8();
  const nodeLength = head.u32();
  const recordLength = head.u16();
  const depth = head.u16();
  head.skip(2);
  const root = head.offset();
  const count = head.u16();
  if (root === null) return;
  if (depth > maxDepth || recordLength === 0) throw head.malformed("a tree has no sensible depth");
  const tree = {
    store,
    type,
    recordLength,
    pointers: pointerWidths(store, { nodeLength, recordLength, depth }),
  };
  yield* walkNode(tree, { address: root, count, depth }, new Set());
}

interface Tree {
  readonly store: Store;
  readonly type: number;
  readonly recordLength: number;
  /** Bytes of the counts behind a child's address, by the depth of the node that points. */
  readonly pointers: readonly { readonly own: number; readonly below: number }[];
}

function pointerWidths(
  { widths }: Store,
  { nodeLength, recordLength, depth }: { nodeLength: number; recordLength: number; depth: number },
): Tree["pointers"] {
  const leaf = Math.floor((nodeLength - nodeOverhead) / recordLength);
  const own = bytesFor(leaf);
  let most = leaf;
  let below = 0;
  const pointers = [{ own, below: 0 }];
  for (let level = 1; level <= depth; level++) {
    pointers.push({ own, below });
    const pointer = widths.offsets + own + below;
    const records = Math.floor((nodeLength - nodeOverhead - pointer) / (recordLength + pointer));
    most = (Math.max(0, records) + 1) * most + Math.max(0, records);
    below = bytesFor(Math.min(most, Number.MAX_SAFE_INTEGER));
  }
  return pointers;
}

async function* walkNode(
  tree: Tree,
  { address, count, depth }: { address: number; count: number; depth: number },
  seen: Set<number>,
): AsyncGenerator<Tree2Record> {
  const { store, type, recordLength, pointers } = tree;
  if (seen.has(address)) {
    throw new FormatError("FORMAT_MALFORMED", "a tree leads back into itself", {
      path: store.path,
    });
  }
  seen.add(address);
  const { own, below } = pointers[depth]!;
  const pointer = depth === 0 ? 0 : store.widths.offsets + own + below;
  const byteLength = 6 + count * recordLength + (count + 1) * pointer;
  const node = await checkedBlockAt(store, address, byteLength);
  node.signature(depth === 0 ? "BTLF" : "BTIN");
  node.skip(1);
  if (node.u8() !== type) throw node.malformed("a tree holds records of two kinds");
  const records: Cursor[] = [];
  for (let i = 0; i < count; i++) records.push(node.part(recordLength));
  const block = { address, byteLength };
  for (let i = 0; i <= count; i++) {
    if (depth > 0) {
      const child = node.offset();
      const childCount = node.uint(own);
      node.skip(below);
      if (child === null) throw node.malformed("a tree's node was never written");
      yield* walkNode(tree, { address: child, count: childCount, depth: depth - 1 }, seen);
    }
    const cursor = records[i];
    if (cursor !== undefined) yield { type, cursor, block };
  }
}

/** The leaves of a B-tree of version 1: of an old group, or of an array in chunks. */
export async function* walkTree1(
  store: Store,
  address: number,
  { type, keyLength }: { type: 0 | 1; keyLength: number },
): AsyncGenerator<{ readonly key: Cursor; readonly child: number }> {
  const seen = new Set<number>();
  const pending = [{ address, level: -1 }];
  const { offsets } = store.widths;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (seen.has(next.address)) {
      throw new FormatError("FORMAT_MALFORMED", "a tree leads back into itself", {
        path: store.path,
      });
    }
    seen.add(next.address);
    const head = await blockAt(store, next.address, 8 + 2 * offsets);
    head.signature("TREE");
    if (head.u8() !== type) throw head.malformed("a tree is of another kind than is expected");
    const level = head.u8();
    const count = head.u16();
    if (next.level !== -1 && level !== next.level)
      throw head.malformed("a tree's levels do not fit");
    const body = await blockAt(store, head.start + 8 + 2 * offsets, count * (keyLength + offsets));
    const children: { address: number; level: number }[] = [];
    for (let i = 0; i < count; i++) {
      const key = body.part(keyLength);
      const child = body.offset();
      if (child === null) throw body.malformed("a tree's node was never written");
      if (level === 0) yield { key, child };
      else children.push({ address: child, level: level - 1 });
    }
    pending.push(...children.reverse());
  }
}
