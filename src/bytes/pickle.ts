/**
 * Python pickles as plain data. Nothing is imported and nothing is called: a class or a function is its name, a call is a record
 * of what would have been called with what. Source: the opcodes that Python's `pickletools` describes.
 */
import { FormatError } from "../errors.ts";

/** A class or function, `torch._utils _rebuild_tensor_v2`. */
export class PickleGlobal {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A call that was not made, or an object that was not built. */
export class PickleCall {
  readonly callee: PickleValue;
  readonly args: PickleValue;
  constructor(callee: PickleValue, args: PickleValue) {
    this.callee = callee;
    this.args = args;
  }
}

/** A reference to something outside the pickle: the data of a tensor. */
export class PicklePersistent {
  readonly id: PickleValue;
  constructor(id: PickleValue) {
    this.id = id;
  }
}

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

/**
 * Reads one pickle from `start`; `end` is where it stops. An ordered dictionary is a Map, tuples, lists and sets are arrays.
 * Cost: linear in the bytes read.
 * @throws {FormatError} `FORMAT_TRUNCATED`, `FORMAT_MALFORMED`, `FORMAT_UNSUPPORTED` for an opcode that data do not need
 */
export function readPickle(
  bytes: Uint8Array,
  start: number,
  path: readonly (string | number)[],
): { readonly value: PickleValue; readonly end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const machine: Machine = { stack: [], marks: [], memo: new Map() };
  let at = start;
  const take = (length: number): number => {
    if (!Number.isSafeInteger(length) || length < 0 || at + length > bytes.byteLength) {
      throw new FormatError("FORMAT_TRUNCATED", "the pickle ends inside a value", { path });
    }
    at += length;
    return at - length;
  };
  const cursor: Cursor = {
    uint8: () => view.getUint8(take(1)),
    uint16: () => view.getUint16(take(2), true),
    uint32: () => view.getUint32(take(4), true),
    int32: () => view.getInt32(take(4), true),
    float64: () => view.getFloat64(take(8)),
    long: () => Number(view.getBigUint64(take(8), true)),
    bytes: (length) => bytes.subarray(take(length), at),
    line() {
      const end = bytes.indexOf(10, at);
      const length = end === -1 ? bytes.byteLength + 1 - at : end - at;
      const text = textOf(bytes.subarray(take(length), at));
      take(1);
      return text;
    },
  };
  for (;;) {
    const code = cursor.uint8();
    if (code === 0x2e) return { value: pop(machine, path), end: at };
    const operation = operations.get(code);
    if (operation === undefined) {
      throw new FormatError("FORMAT_UNSUPPORTED", `pickle opcode ${code} is not read`, { path });
    }
    try {
      operation(machine, cursor);
    } catch (cause) {
      if (cause instanceof FormatError) throw cause;
      throw malformed(path, cause);
    }
  }
}

interface Machine {
  stack: PickleValue[];
  readonly marks: PickleValue[][];
  readonly memo: Map<number, PickleValue>;
}

interface Cursor {
  uint8(): number;
  uint16(): number;
  uint32(): number;
  int32(): number;
  float64(): number;
  long(): number;
  bytes(length: number): Uint8Array;
  line(): string;
}

type Operation = (machine: Machine, cursor: Cursor) => void;

const push =
  (make: (cursor: Cursor) => PickleValue): Operation =>
  (machine, cursor) => {
    machine.stack.push(make(cursor));
  };
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const store = (machine: Machine, key: number): void => {
  machine.memo.set(key, top(machine));
};
const load = (machine: Machine, key: number): void => {
  const value = machine.memo.get(key);
  if (value === undefined) throw malformed([]);
  machine.stack.push(value);
};
const tuple =
  (length: number): Operation =>
  (machine) => {
    const items = Array.from({ length }, () => pop(machine));
    machine.stack.push(items.reverse());
  };
const collect: Operation = (machine) => {
  const items = sinceMark(machine);
  machine.stack.push(items);
};
const append = (machine: Machine, items: readonly PickleValue[]): void => {
  const list = top(machine);
  if (!Array.isArray(list)) throw malformed([]);
  for (const item of items) list.push(item);
};
const setItems = (machine: Machine, items: readonly PickleValue[]): void => {
  const map = top(machine);
  if (map instanceof PickleCall) return;
  if (!(map instanceof Map) || items.length % 2 !== 0) throw malformed([]);
  for (let i = 0; i < items.length; i += 2) map.set(items[i]!, items[i + 1]!);
};
const call: Operation = (machine) => {
  const args = pop(machine);
  const callee = pop(machine);
  const isDictionary = callee instanceof PickleGlobal && callee.name === "collections OrderedDict";
  machine.stack.push(isDictionary ? new Map() : new PickleCall(callee, args));
};
const operations: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [0x80, (_, cursor) => void cursor.uint8()],
  [0x95, (_, cursor) => void cursor.long()],
  [0x28, (machine) => void (machine.marks.push(machine.stack), (machine.stack = []))],
  [0x30, (machine) => void pop(machine)],
  [0x31, (machine) => void sinceMark(machine)],
  [0x32, (machine) => void machine.stack.push(top(machine))],
  [0x4e, push(() => null)],
  [0x88, push(() => true)],
  [0x89, push(() => false)],
  [0x4a, push((cursor) => cursor.int32())],
  [0x4b, push((cursor) => cursor.uint8())],
  [0x4d, push((cursor) => cursor.uint16())],
  [0x47, push((cursor) => cursor.float64())],
  [0x8a, push((cursor) => integerOf(cursor.bytes(cursor.uint8())))],
  [0x58, push((cursor) => textOf(cursor.bytes(cursor.uint32())))],
  [0x8c, push((cursor) => textOf(cursor.bytes(cursor.uint8())))],
  [0x8d, push((cursor) => textOf(cursor.bytes(cursor.long())))],
  [0x54, push((cursor) => textOf(cursor.bytes(cursor.uint32())))],
  [0x55, push((cursor) => textOf(cursor.bytes(cursor.uint8())))],
  [0x42, push((cursor) => cursor.bytes(cursor.uint32()))],
  [0x43, push((cursor) => cursor.bytes(cursor.uint8()))],
  [0x29, push(() => [])],
  [0x5d, push(() => [])],
  [0x8f, push(() => [])],
  [0x7d, push(() => new Map())],
  [0x74, collect],
  [0x6c, collect],
  [0x91, collect],
  [0x85, tuple(1)],
  [0x86, tuple(2)],
  [0x87, tuple(3)],
  [0x61, (machine) => append(machine, [pop(machine)])],
  [0x65, (machine) => append(machine, sinceMark(machine))],
  [0x90, (machine) => append(machine, sinceMark(machine))],
  [
    0x73,
    (machine) => {
      const value = pop(machine);
      setItems(machine, [pop(machine), value]);
    },
  ],
  [0x75, (machine) => setItems(machine, sinceMark(machine))],
  [0x63, push((cursor) => new PickleGlobal(`${cursor.line()} ${cursor.line()}`))],
  [
    0x93,
    (machine) => {
      const [name, module] = [pop(machine), pop(machine)];
      if (typeof name !== "string" || typeof module !== "string") throw malformed([]);
      machine.stack.push(new PickleGlobal(`${module} ${name}`));
    },
  ],
  [0x52, call],
  [0x81, call],
  // The state of an object: dictionaries carry metadata there, which is no weight.
  [0x62, (machine) => void pop(machine)],
  [0x51, (machine) => void machine.stack.push(new PicklePersistent(pop(machine)))],
  [0x71, (machine, cursor) => store(machine, cursor.uint8())],
  [0x72, (machine, cursor) => store(machine, cursor.uint32())],
  [0x94, (machine) => store(machine, machine.memo.size)],
  [0x68, (machine, cursor) => load(machine, cursor.uint8())],
  [0x6a, (machine, cursor) => load(machine, cursor.uint32())],
]);

function pop({ stack }: Machine, path: readonly (string | number)[] = []): PickleValue {
  const value = stack.pop();
  if (value === undefined) throw malformed(path);
  return value;
}

function top({ stack }: Machine): PickleValue {
  const value = stack.at(-1);
  if (value === undefined) throw malformed([]);
  return value;
}

function sinceMark(machine: Machine): PickleValue[] {
  const before = machine.marks.pop();
  if (before === undefined) throw malformed([]);
  const items = machine.stack;
  machine.stack = before;
  return items;
}

/** Two's complement, little-endian. */
function integerOf(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (const byte of bytes.toReversed()) value = (value << 8n) | BigInt(byte);
  const signed = BigInt.asIntN(bytes.length * 8, value);
  const small = Number(signed);
  return Number.isSafeInteger(small) ? small : signed;
}

function malformed(path: readonly (string | number)[], cause?: unknown): FormatError {
  return new FormatError("FORMAT_MALFORMED", "the pickle takes what it has not put down", {
    path,
    cause,
  });
}
