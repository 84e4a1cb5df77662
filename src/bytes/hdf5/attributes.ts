/** Attributes of groups and arrays, in the header or in a heap; texts of fixed and of any length. */
import { FormatError } from "../../errors.ts";
import { walkTree2 } from "./btree2.ts";
import { Cursor, decodeText } from "./cursor.ts";
import { parseDataspace, parseDatatype, type Hdf5Type } from "./datatype.ts";
import { fractalHeap, globalText } from "./heaps.ts";
import { messages, type Message } from "./objectHeader.ts";
import type { Store } from "./superblock.ts";

const maxAttributes = 2 ** 16;
const maxTexts = 2 ** 22;

/** Resolves a type that stands elsewhere in the file; as bytes of its message. */
export type SharedMessage = (cursor: Cursor, type: number) => Promise<Cursor>;

interface Attribute {
  readonly name: string;
  readonly type: Hdf5Type;
  readonly count: number;
  readonly data: Cursor;
}

/**
 * Texts of the attribute called `wanted`; null where there is none of that name or where it is no text.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_TRUNCATED`, `FORMAT_LIMIT`
 */
export async function readTexts(
  store: Store,
  header: readonly Message[],
  { wanted, shared }: { wanted: string; shared: SharedMessage },
): Promise<readonly string[] | null> {
  for await (const cursor of attributeBodies(store, header)) {
    const attribute = await readAttribute(cursor, { wanted, shared });
    if (attribute !== null) return textsOf(store, attribute);
  }
  return null;
}

async function* attributeBodies(store: Store, header: readonly Message[]): AsyncGenerator<Cursor> {
  for (const { type, body, address } of header) {
    const cursor = new Cursor(body, address, store);
    if (type === messages.attribute) yield cursor;
    if (type !== messages.attributeInfo) continue;
    cursor.skip(1);
    const flags = cursor.u8();
    cursor.skip(flags & 1 ? 2 : 0);
    const heap = cursor.offset();
    const tree = cursor.offset();
    if (heap === null || tree === null) continue;
    const objectOf = await fractalHeap(store, heap);
    let count = 0;
    for await (const record of walkTree2(store, tree)) {
      if (record.type !== 8) throw cursor.malformed("a tree of attributes holds something else");
      if (++count > maxAttributes) throw limit(store, `more than ${maxAttributes} attributes`);
      yield await objectOf(record.cursor);
    }
  }
}

/** Null for an attribute of another name. */
async function readAttribute(
  cursor: Cursor,
  { wanted, shared }: { wanted: string; shared: SharedMessage },
): Promise<Attribute | null> {
  const version = cursor.u8();
  const flags = cursor.u8();
  if (version < 1 || version > 3)
    throw cursor.malformed("an attribute of this version is not read");
  const padded = (length: number): number => (version === 1 ? Math.ceil(length / 8) * 8 : length);
  const nameLength = cursor.u16();
  const typeLength = cursor.u16();
  const spaceLength = cursor.u16();
  if (version === 3) cursor.skip(1);
  const name = cursor.part(padded(nameLength)).text();
  if (name !== wanted) return null;
  const typeBody = cursor.part(padded(typeLength));
  const spaceBody = cursor.part(padded(spaceLength));
  const isShared = (bit: number): boolean => version > 1 && (flags & bit) !== 0;
  const type = parseDatatype(isShared(1) ? await shared(typeBody, messages.datatype) : typeBody);
  const space = parseDataspace(
    isShared(2) ? await shared(spaceBody, messages.dataspace) : spaceBody,
  );
  const count = space === null ? 0 : space.shape.reduce((product, size) => product * size, 1);
  return { name, type, count, data: cursor };
}

async function textsOf(store: Store, attribute: Attribute): Promise<readonly string[] | null> {
  const { name, type, count, data } = attribute;
  if (type.text === null) return null;
  if (count > maxTexts) throw limit(store, `the attribute ${name} announces ${count} texts`);
  if (count * type.byteLength > data.left) {
    throw data.malformed(`the attribute ${name} is shorter than it announces`);
  }
  const texts: string[] = [];
  for (let i = 0; i < count; i++) {
    const one = data.part(type.byteLength);
    texts.push(type.text === "heap" ? await globalText(one, store) : fixedText(one.bytes));
  }
  return texts;
}

/** Padded by zeros or blanks. */
function fixedText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decodeText(end === -1 ? bytes : bytes.subarray(0, end)).trimEnd();
}

function limit({ path }: Store, message: string): FormatError {
  return new FormatError("FORMAT_LIMIT", message, { path });
}
