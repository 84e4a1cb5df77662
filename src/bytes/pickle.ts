/**
 * Python pickles as plain data: every opcode of protocols 0 to 5 but registered extensions and out-of-band buffers. Nothing is
 * imported and nothing is called. Source: the opcodes that Python's `pickletools` describes.
 */
import { FormatError } from "../errors.ts";
import {
  floatOfLine,
  integerOf,
  integerOfLine,
  pickleCursor,
  quotedOfLine,
  unicodeOfLine,
  type PickleCursor,
  type PicklePath,
} from "./pickleCursor.ts";
import {
  PickleCall,
  PickleGlobal,
  PicklePersistent,
  plainResult,
  type PickleValue,
} from "./pickleValue.ts";

export interface Pickle {
  readonly value: PickleValue;
  /** Where the pickle stops. */
  readonly end: number;
  /** Every class and function that it names. */
  readonly globals: ReadonlySet<string>;
}

/** So many values, and of these so many that hold others, take about half a gigabyte. */
const maxValues = 2 ** 23;
const maxContainers = 2 ** 20;

/**
 * Reads one pickle from `start`. Cost: linear in the bytes read; memory is bounded, whatever the pickle does.
 * @throws {FormatError} `FORMAT_TRUNCATED`, `FORMAT_MALFORMED`, `FORMAT_LIMIT`, `FORMAT_UNSUPPORTED` for what is no data
 */
export function readPickle(bytes: Uint8Array, start: number, path: PicklePath): Pickle {
  const cursor = pickleCursor(bytes, start, path);
  const machine = new Machine(path, 2 * bytes.byteLength);
  for (;;) {
    const code = cursor.uint8();
    if (code === 0x2e) return { value: machine.pop(), end: cursor.at, globals: machine.globals };
    const operation = operations[code];
    if (operation === undefined) throw machine.unsupported(`pickle opcode ${code} is not read`);
    operation(machine, cursor);
  }
}

class Machine {
  readonly path: PicklePath;
  readonly globals: Set<string> = new Set();
  readonly memo: Map<number, PickleValue> = new Map();
  readonly #marks: PickleValue[][] = [];
  #stack: PickleValue[] = [];
  #values = 0;
  #containers = 0;
  /** Characters that may be encoded yet: each once, were the pickle made by Python. */
  #encodable: number;

  constructor(path: PicklePath, encodable: number) {
    this.path = path;
    this.#encodable = encodable;
  }

  push(value: PickleValue): void {
    this.spend(1);
    if (typeof value === "object" && value !== null) this.#contain();
    this.#stack.push(value);
  }

  /** A value that is held already. */
  again(value: PickleValue): void {
    this.spend(1);
    this.#stack.push(value);
  }

  pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined) throw this.malformed();
    return value;
  }

  popOrMark(): void {
    if (this.#stack.length > 0) this.#stack.pop();
    else this.sinceMark();
  }

  top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined) throw this.malformed();
    return value;
  }

  mark(): void {
    this.#contain();
    this.#marks.push(this.#stack);
    this.#stack = [];
  }

  sinceMark(): PickleValue[] {
    const before = this.#marks.pop();
    if (before === undefined) throw this.malformed();
    const items = this.#stack;
    this.#stack = before;
    return items;
  }

  remember(key: number | bigint | boolean): void {
    const value = this.top();
    if (typeof key !== "number" || key < 0) throw this.malformed();
    this.memo.set(key, value);
  }

  recall(key: number | bigint | boolean): void {
    const value = typeof key === "number" ? this.memo.get(key) : undefined;
    if (value === undefined) throw this.malformed();
    this.again(value);
  }

  global(module: PickleValue, name: PickleValue): PickleGlobal {
    if (typeof module !== "string" || typeof name !== "string") throw this.malformed();
    const global = new PickleGlobal(module, name);
    this.globals.add(global.path);
    return global;
  }

  call(callee: PickleValue, args: PickleValue): void {
    this.#countText(args);
    const plain =
      callee instanceof PickleGlobal && Array.isArray(args)
        ? plainResult(callee, args, (count) => this.spend(count))
        : null;
    this.push(plain ?? new PickleCall(callee, args));
  }

  spend(count: number): void {
    this.#values += count;
    if (this.#values > maxValues) throw this.tooMany(maxValues);
  }

  /** Text that a call is given may be turned into bytes later: not the same over and over. */
  #countText(args: PickleValue): void {
    const [text] = Array.isArray(args) ? args : [];
    if (typeof text !== "string" || text.length < 256) return;
    this.#encodable -= text.length;
    if (this.#encodable >= 0) return;
    throw new FormatError("FORMAT_LIMIT", "the pickle uses one text over and over", {
      path: this.path,
    });
  }

  #contain(): void {
    if (++this.#containers > maxContainers) throw this.tooMany(maxContainers);
  }

  tooMany(limit: number): FormatError {
    return new FormatError("FORMAT_LIMIT", `the pickle makes over ${limit} values`, {
      path: this.path,
    });
  }

  unsupported(message: string): FormatError {
    return new FormatError("FORMAT_UNSUPPORTED", message, { path: this.path });
  }

  malformed(message = "the pickle takes what it has not put down"): FormatError {
    return new FormatError("FORMAT_MALFORMED", message, { path: this.path });
  }
}

type Operation = (machine: Machine, cursor: PickleCursor) => void;

const push =
  (make: (cursor: PickleCursor, path: PicklePath) => PickleValue): Operation =>
  (machine, cursor) =>
    machine.push(make(cursor, machine.path));
const tuple =
  (length: number): Operation =>
  (machine) =>
    machine.push(Array.from({ length }, () => machine.pop()).reverse());
const collect: Operation = (machine) => machine.push(machine.sinceMark());
const refuse =
  (what: string): Operation =>
  (machine) => {
    throw machine.unsupported(`${what} lies outside the pickle`);
  };

function append(machine: Machine, items: readonly PickleValue[]): void {
  const holder = machine.top();
  const list = holder instanceof PickleCall ? (holder.items ??= []) : holder;
  if (!Array.isArray(list)) throw machine.malformed();
  machine.spend(items.length);
  for (const item of items) list.push(item);
}

function setItems(machine: Machine, items: readonly PickleValue[]): void {
  const holder = machine.top();
  const map = holder instanceof PickleCall ? (holder.entries ??= new Map()) : holder;
  if (!(map instanceof Map)) throw machine.malformed();
  putPairs(machine, map, items);
}

function putPairs(
  machine: Machine,
  map: Map<PickleValue, PickleValue>,
  items: readonly PickleValue[],
): void {
  if (items.length % 2 !== 0) throw machine.malformed("a dictionary ends with a key");
  for (let i = 0; i < items.length; i += 2) map.set(items[i]!, items[i + 1]!);
}

const table: readonly (readonly [number, Operation])[] = [
  // PROTO, FRAME
  [0x80, (machine, cursor) => checkProtocol(machine, cursor.uint8())],
  [0x95, (_, cursor) => void cursor.uint64()],
  // MARK, POP, POP_MARK, DUP
  [0x28, (machine) => machine.mark()],
  [0x30, (machine) => machine.popOrMark()],
  [0x31, (machine) => void machine.sinceMark()],
  [0x32, (machine) => machine.again(machine.top())],
  // NONE, NEWTRUE, NEWFALSE
  [0x4e, push(() => null)],
  [0x88, push(() => true)],
  [0x89, push(() => false)],
  // INT, BININT, BININT1, BININT2, LONG, LONG1, LONG4, FLOAT, BINFLOAT
  [0x49, push((cursor, path) => integerOfLine(cursor.line(), path))],
  [0x4a, push((cursor) => cursor.int32())],
  [0x4b, push((cursor) => cursor.uint8())],
  [0x4d, push((cursor) => cursor.uint16())],
  [0x4c, push((cursor, path) => Number(integerOfLine(cursor.line(), path)))],
  [0x8a, push((cursor, path) => integerOf(cursor.bytes(cursor.uint8()), path))],
  [0x8b, push((cursor, path) => integerOf(cursor.bytes(cursor.int32()), path))],
  [0x46, push((cursor, path) => floatOfLine(cursor.line(), path))],
  [0x47, push((cursor) => cursor.float64())],
  // STRING, BINSTRING, SHORT_BINSTRING
  [0x53, push((cursor, path) => quotedOfLine(cursor.latin1Line(), path))],
  [0x54, push((cursor) => cursor.textOrBytes(cursor.int32()))],
  [0x55, push((cursor) => cursor.textOrBytes(cursor.uint8()))],
  // UNICODE, BINUNICODE, SHORT_BINUNICODE, BINUNICODE8
  [0x56, push((cursor) => unicodeOfLine(cursor.latin1Line()))],
  [0x58, push((cursor) => cursor.text(cursor.uint32()))],
  [0x8c, push((cursor) => cursor.text(cursor.uint8()))],
  [0x8d, push((cursor) => cursor.text(cursor.uint64()))],
  // BINBYTES, SHORT_BINBYTES, BINBYTES8, BYTEARRAY8
  [0x42, push((cursor) => cursor.bytes(cursor.uint32()))],
  [0x43, push((cursor) => cursor.bytes(cursor.uint8()))],
  [0x8e, push((cursor) => cursor.bytes(cursor.uint64()))],
  [0x96, push((cursor) => cursor.bytes(cursor.uint64()))],
  // EMPTY_TUPLE, EMPTY_LIST, EMPTY_SET, EMPTY_DICT
  [0x29, push(() => [])],
  [0x5d, push(() => [])],
  [0x8f, push(() => [])],
  [0x7d, push(() => new Map())],
  // TUPLE, LIST, FROZENSET, TUPLE1, TUPLE2, TUPLE3, DICT
  [0x74, collect],
  [0x6c, collect],
  [0x91, collect],
  [0x85, tuple(1)],
  [0x86, tuple(2)],
  [0x87, tuple(3)],
  [
    0x64,
    (machine) => {
      const map = new Map<PickleValue, PickleValue>();
      putPairs(machine, map, machine.sinceMark());
      machine.push(map);
    },
  ],
  // APPEND, APPENDS, ADDITEMS, SETITEM, SETITEMS
  [0x61, (machine) => append(machine, [machine.pop()])],
  [0x65, (machine) => append(machine, machine.sinceMark())],
  [0x90, (machine) => append(machine, machine.sinceMark())],
  [
    0x73,
    (machine) => {
      const value = machine.pop();
      setItems(machine, [machine.pop(), value]);
    },
  ],
  [0x75, (machine) => setItems(machine, machine.sinceMark())],
  // GLOBAL, STACK_GLOBAL
  [0x63, (machine, cursor) => machine.push(machine.global(cursor.line(), cursor.line()))],
  [
    0x93,
    (machine) => {
      const name = machine.pop();
      machine.push(machine.global(machine.pop(), name));
    },
  ],
  // REDUCE, NEWOBJ, NEWOBJ_EX, OBJ, INST, BUILD
  [0x52, takeCall],
  [0x81, takeCall],
  [0x92, (machine) => (machine.pop(), takeCall(machine))],
  [
    0x6f,
    (machine) => {
      const [callee, ...args] = machine.sinceMark();
      if (callee === undefined) throw machine.malformed();
      machine.call(callee, args);
    },
  ],
  [
    0x69,
    (machine, cursor) => {
      const callee = machine.global(cursor.line(), cursor.line());
      machine.call(callee, machine.sinceMark());
    },
  ],
  [0x62, build],
  // PERSID, BINPERSID
  [0x50, push((cursor) => new PicklePersistent(cursor.line()))],
  [0x51, (machine) => machine.push(new PicklePersistent(machine.pop()))],
  // PUT, BINPUT, LONG_BINPUT, MEMOIZE, GET, BINGET, LONG_BINGET
  [0x70, (machine, cursor) => machine.remember(integerOfLine(`+${cursor.line()}`, machine.path))],
  [0x71, (machine, cursor) => machine.remember(cursor.uint8())],
  [0x72, (machine, cursor) => machine.remember(cursor.uint32())],
  [0x94, (machine) => machine.remember(machine.memo.size)],
  [0x67, (machine, cursor) => machine.recall(integerOfLine(`+${cursor.line()}`, machine.path))],
  [0x68, (machine, cursor) => machine.recall(cursor.uint8())],
  [0x6a, (machine, cursor) => machine.recall(cursor.uint32())],
  // EXT1, EXT2, EXT4, NEXT_BUFFER, READONLY_BUFFER
  [0x82, refuse("a registered extension")],
  [0x83, refuse("a registered extension")],
  [0x84, refuse("a registered extension")],
  [0x97, refuse("a buffer")],
  [0x98, refuse("a buffer")],
];

const byCode = new Map(table);
const operations: readonly (Operation | undefined)[] = Array.from({ length: 256 }, (_, code) =>
  byCode.get(code),
);

function checkProtocol(machine: Machine, version: number): void {
  if (version > 5) throw machine.unsupported(`pickle protocol ${version} is not read`);
}

function takeCall(machine: Machine): void {
  const args = machine.pop();
  machine.call(machine.pop(), args);
}

/** The state of an object is kept; that of a plain dictionary is metadata, and is not. */
function build(machine: Machine): void {
  const state = machine.pop();
  const object = machine.top();
  if (object instanceof PickleCall) object.state = state;
}
