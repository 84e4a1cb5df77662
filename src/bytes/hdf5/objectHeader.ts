/** Object headers: the list of messages that describe a group or an array. Versions 1 and 2. */
import { FormatError } from "../../errors.ts";
import { lookup3 } from "./checksum.ts";
import { Cursor, malformed } from "./cursor.ts";
import type { Store } from "./superblock.ts";

/** The kinds of message that are looked at. */
export const messages = {
  dataspace: 1,
  linkInfo: 2,
  datatype: 3,
  oldFillValue: 4,
  fillValue: 5,
  link: 6,
  externalFiles: 7,
  layout: 8,
  filters: 11,
  attribute: 12,
  continuation: 16,
  symbolTable: 17,
  attributeInfo: 21,
} as const;

export interface Message {
  readonly type: number;
  readonly isShared: boolean;
  /** Address of the body. */
  readonly address: number;
  readonly body: Uint8Array;
  /** The block around it that a checksum follows; null in headers of version 1. */
  readonly checked: Block | null;
}

/** A block of metadata with its checksum behind it. */
export interface Block {
  readonly address: number;
  readonly byteLength: number;
}

const maxBlocks = 4096;
const maxMessages = 2 ** 16;
const maxHeaderLength = 2 ** 28;

/** @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_TRUNCATED`, `FORMAT_LIMIT` */
export async function readObjectHeader(store: Store, address: number): Promise<readonly Message[]> {
  const start = await blockAt(store, address, 16);
  const isNew = String.fromCharCode(...start.bytes.subarray(0, 4)) === "OHDR";
  const { first, flags } = isNew ? await newHeader(store, address) : oldHeader(start);
  const pending = [first];
  const found: Message[] = [];
  const seen = new Set([address]);
  let total = 0;
  for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
    total += part.byteLength;
    if (seen.size > maxBlocks || found.length > maxMessages || total > maxHeaderLength) {
      throw limit(store, address);
    }
    const block = await blockAt(store, part.address, part.byteLength);
    for (const message of messagesIn(block, { isNew, flags, checked: part.checked })) {
      if (message.type !== messages.continuation) found.push(message);
      else pending.push(await continued(store, message, { isNew, seen }));
    }
  }
  return found;
}

interface Part extends Block {
  readonly checked: Block | null;
}

/** A cursor on bytes of the file by address. */
export async function blockAt(store: Store, address: number, byteLength: number): Promise<Cursor> {
  const start = store.base + address;
  return new Cursor(await store.pages.read(start, start + byteLength), address, store);
}

/** The same, with the checksum behind it compared. */
export async function checkedBlockAt(
  store: Store,
  address: number,
  byteLength: number,
): Promise<Cursor> {
  const whole = await blockAt(store, address, byteLength + 4);
  const block = whole.part(byteLength);
  if (whole.u32() !== lookup3(block.bytes)) {
    throw malformed(
      `the checksum of the block at byte ${store.base + address} is wrong`,
      store.path,
    );
  }
  return block;
}

function oldHeader(start: Cursor): { first: Part; flags: number } {
  if (start.u8() !== 1) throw start.malformed(`no object header stands at byte ${start.start}`);
  start.skip(7);
  const byteLength = start.u32();
  return { first: { address: start.start + 16, byteLength, checked: null }, flags: 0 };
}

async function newHeader(store: Store, address: number): Promise<{ first: Part; flags: number }> {
  const cursor = await blockAt(
    store,
    address,
    Math.min(34, store.pages.byteLength - store.base - address),
  );
  cursor.signature("OHDR");
  if (cursor.u8() !== 2) throw cursor.malformed("object headers of this version are not read");
  const flags = cursor.u8();
  cursor.skip((flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0));
  const byteLength = cursor.uint(1 << (flags & 3));
  const checked = { address, byteLength: cursor.at + byteLength };
  await checkedBlockAt(store, address, checked.byteLength);
  return { first: { address: cursor.address, byteLength, checked }, flags };
}

async function continued(
  store: Store,
  { body, address: at }: Message,
  { isNew, seen }: { isNew: boolean; seen: Set<number> },
): Promise<Part> {
  const cursor = new Cursor(body, at, store);
  const address = cursor.offset();
  const byteLength = cursor.length();
  if (address === null || seen.has(address))
    throw cursor.malformed("an object header repeats itself");
  seen.add(address);
  if (!isNew) return { address, byteLength, checked: null };
  if (byteLength < 8) throw cursor.malformed("a continued object header is too short");
  const checked = { address, byteLength: byteLength - 4 };
  (await checkedBlockAt(store, address, checked.byteLength)).signature("OCHK");
  return { address: address + 4, byteLength: byteLength - 8, checked };
}

function* messagesIn(
  block: Cursor,
  { isNew, flags, checked }: { isNew: boolean; flags: number; checked: Block | null },
): Generator<Message> {
  const headerLength = isNew ? 4 + (flags & 4 ? 2 : 0) : 8;
  while (block.left >= headerLength) {
    const type = isNew ? block.u8() : block.u16();
    const length = block.u16();
    const isShared = (block.u8() & 2) !== 0;
    block.skip(headerLength - (isNew ? 4 : 5));
    const { address } = block;
    yield { type, isShared, address, body: block.take(length), checked };
  }
}

function limit({ path }: Store, address: number): FormatError {
  return new FormatError("FORMAT_LIMIT", `the object header at byte ${address} does not end`, {
    path,
  });
}
