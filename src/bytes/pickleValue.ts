/** What a pickle holds, as data: classes and functions are names, calls are records of what would have been called with what. */

/** A class or function by its name; nothing is ever imported. */
export class PickleGlobal {
  readonly module: string;
  readonly name: string;
  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }
  /** `torch._utils._rebuild_tensor_v2` */
  get path(): string {
    return `${this.module}.${this.name}`;
  }
}

/** A call that was not made, or an object that was not built, with what would have been put into it afterwards. */
export class PickleCall {
  readonly callee: PickleValue;
  readonly args: PickleValue;
  /** Of `__setstate__`, most often the attributes by name. */
  state: PickleValue | undefined = undefined;
  /** Of a class that is a list or a set. */
  items: PickleValue[] | null = null;
  /** Of a class that is a dictionary. */
  entries: Map<PickleValue, PickleValue> | null = null;
  constructor(callee: PickleValue, args: PickleValue) {
    this.callee = callee;
    this.args = args;
  }
  /** Full name of what would have been called, or null where that is no plain name. */
  get path(): string | null {
    return this.callee instanceof PickleGlobal ? this.callee.path : null;
  }
}

/** A reference to something outside the pickle: the data of a tensor. */
export class PicklePersistent {
  readonly id: PickleValue;
  constructor(id: PickleValue) {
    this.id = id;
  }
}

/** Tuples, lists and sets are arrays, dictionaries Maps. A value may hold itself. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | PickleGlobal
  | PickleCall
  | PicklePersistent;

/** Constructors whose one argument is already the plain form of what they would make. */
const transparent: ReadonlySet<string> = new Set([
  ...[
    "set",
    "frozenset",
    "list",
    "tuple",
    "dict",
    "bytes",
    "bytearray",
    "int",
    "float",
    "str",
  ].flatMap((name) => [`builtins.${name}`, `__builtin__.${name}`]),
  "collections.Counter",
]);

/**
 * What a call makes, where it is one of the few constructors that only hold data; null for any other.
 * `spend` is told how many values are copied.
 */
export function plainResult(
  callee: PickleGlobal,
  args: readonly PickleValue[],
  spend: (count: number) => void,
): PickleValue | null {
  const [first] = args;
  const isDictionary = callee.module === "collections" || callee.name === "dict";
  if (callee.path === "collections.OrderedDict" && Array.isArray(first))
    return ordered(first, spend);
  if (callee.path === "collections.OrderedDict" || callee.path === "collections.defaultdict") {
    return first instanceof Map ? first : new Map();
  }
  if (!transparent.has(callee.path)) return null;
  if (first === undefined) return isDictionary ? new Map() : [];
  if (isDictionary) return Array.isArray(first) ? ordered(first, spend) : first;
  return args.length === 1 ? first : null;
}

/** `[[key, value], …]`, as Python 2 wrote ordered dictionaries. */
function ordered(pairs: readonly PickleValue[], spend: (count: number) => void): PickleValue {
  spend(pairs.length);
  const map = new Map<PickleValue, PickleValue>();
  for (const pair of pairs)
    if (Array.isArray(pair) && pair.length === 2) map.set(pair[0]!, pair[1]!);
  return map;
}

/** The entries of a dictionary, or of an object of a class that is one. */
export function entriesOf(
  value: PickleValue | undefined,
): ReadonlyMap<PickleValue, PickleValue> | null {
  if (value instanceof Map) return value;
  return value instanceof PickleCall ? value.entries : null;
}

/** Attributes of an object that was not built; its slots too. Null where it has none that are named. */
export function attributesOf(
  value: PickleValue | undefined,
): ReadonlyMap<PickleValue, PickleValue> | null {
  if (!(value instanceof PickleCall)) return null;
  const { state } = value;
  if (!Array.isArray(state)) return entriesOf(state);
  const [own, slots] = state.length === 2 ? state.map(entriesOf) : [];
  if (slots === null || slots === undefined) return own ?? null;
  return own ? new Map([...own, ...slots]) : slots;
}

/** Bytes, also where Python 2 or protocol 2 wrote them as text. */
export function bytesOf(value: PickleValue | undefined): Uint8Array | null {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") return new TextEncoder().encode(value);
  if (!(value instanceof PickleCall) || value.path !== "_codecs.encode") return null;
  const [text, codec] = Array.isArray(value.args) ? value.args : [];
  const isLatin1 = typeof codec === "string" && /^(latin-?1|iso-?8859-?1)$/i.test(codec);
  if (typeof text !== "string" || !isLatin1) return null;
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
