/** What a group holds: names and where they lead, of old groups (symbol tables) and new ones (messages, heaps). */
import { FormatError } from "../../errors.ts";
import { walkTree1, walkTree2 } from "./btree2.ts";
import { Cursor, decodeText } from "./cursor.ts";
import { fractalHeap, localHeap } from "./heaps.ts";
import { blockAt, messages, type Message } from "./objectHeader.ts";
import type { Store } from "./superblock.ts";

export type Link =
  | { readonly kind: "hard"; readonly address: number }
  | { readonly kind: "soft"; readonly path: string }
  /** Leads out of the file, or is of a kind that others made: never followed. */
  | { readonly kind: "outside"; readonly title: string };

const maxLinks = 2 ** 20;

/** Null for what is no group. @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_TRUNCATED`, `FORMAT_LIMIT` */
export async function readLinks(
  store: Store,
  header: readonly Message[],
): Promise<ReadonlyMap<string, Link> | null> {
  const links = new Map<string, Link>();
  const add = (name: string, link: Link): void => {
    if (links.size >= maxLinks) {
      throw new FormatError("FORMAT_LIMIT", `a group holds more than ${maxLinks} names`, {
        path: store.path,
      });
    }
    links.set(name, link);
  };
  let isGroup = false;
  for (const { type, body, address } of header) {
    const cursor = new Cursor(body, address, store);
    if (type === messages.symbolTable) {
      isGroup = true;
      await readSymbolTable(store, cursor, add);
    } else if (type === messages.link) {
      isGroup = true;
      add(...readLink(cursor));
    } else if (type === messages.linkInfo) {
      isGroup = true;
      await readDenseLinks(store, cursor, add);
    }
  }
  return isGroup ? links : null;
}

type Add = (name: string, link: Link) => void;

async function readSymbolTable(store: Store, cursor: Cursor, add: Add): Promise<void> {
  const tree = cursor.offset();
  const heap = cursor.offset();
  if (tree === null || heap === null) throw cursor.malformed("a group has no table of names");
  const nameAt = await localHeap(store, heap);
  const { offsets, lengths } = store.widths;
  const entryLength = 2 * offsets + 24;
  const seen = new Set<number>();
  for await (const { child } of walkTree1(store, tree, { type: 0, keyLength: lengths })) {
    if (seen.has(child)) throw cursor.malformed("a group lists the same names twice");
    seen.add(child);
    const head = await blockAt(store, child, 8);
    head.signature("SNOD");
    head.skip(2);
    const count = head.u16();
    const body = await blockAt(store, child + 8, count * entryLength);
    for (let i = 0; i < count; i++) {
      const name = nameAt(body.uint(offsets));
      const address = body.offset();
      const isSoft = body.u32() === 2;
      body.skip(4);
      const scratch = body.part(16);
      if (isSoft) add(name, { kind: "soft", path: nameAt(scratch.u32()) });
      else if (address !== null) add(name, { kind: "hard", address });
    }
  }
}

function readLink(cursor: Cursor): [string, Link] {
  cursor.skip(1);
  const flags = cursor.u8();
  const type = flags & 8 ? cursor.u8() : 0;
  cursor.skip((flags & 4 ? 8 : 0) + (flags & 16 ? 1 : 0));
  const name = decodeText(cursor.take(cursor.uint(1 << (flags & 3))));
  if (type === 0) {
    const address = cursor.offset();
    if (address === null) throw cursor.malformed(`the link ${name} leads nowhere`);
    return [name, { kind: "hard", address }];
  }
  if (type === 1) return [name, { kind: "soft", path: decodeText(cursor.take(cursor.u16())) }];
  return [
    name,
    { kind: "outside", title: type === 64 ? "an external link" : "a user-defined link" },
  ];
}

async function readDenseLinks(store: Store, cursor: Cursor, add: Add): Promise<void> {
  cursor.skip(1);
  const flags = cursor.u8();
  cursor.skip(flags & 1 ? 8 : 0);
  const heap = cursor.offset();
  const tree = cursor.offset();
  if (heap === null || tree === null) return;
  const objectOf = await fractalHeap(store, heap);
  for await (const record of walkTree2(store, tree)) {
    if (record.type !== 5) throw cursor.malformed("a tree of names holds something else");
    record.cursor.skip(4);
    add(...readLink(await objectOf(record.cursor)));
  }
}
