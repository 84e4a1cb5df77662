import { describe, expect, test } from "vitest";
import { readPickle } from "../../src/bytes/pickle.ts";
import {
  PickleCall,
  PickleGlobal,
  PicklePersistent,
  type PickleValue,
} from "../../src/bytes/pickleValue.ts";
import { isWeightGraphError } from "../../src/index.ts";
import { op, pickled, seq } from "../helpers/pickler.ts";

const read = (bytes: Uint8Array): PickleValue => readPickle(bytes, 0, ["p"]).value;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe("values, as Python 3.11 pickles them (protocol in the name)", () => {
  test.each<{ name: string; bytes: Uint8Array; value: PickleValue }>([
    {
      name: "0: a list of numbers",
      bytes: text("(lp0\nI1\naL-3L\naF2.5\na."),
      value: [1, -3, 2.5],
    },
    { name: "0: truth", bytes: text("(I01\nI00\nt."), value: [true, false] },
    {
      name: "0: infinities",
      bytes: text("(Finf\nF-inf\nFnan\nt."),
      value: [Infinity, -Infinity, NaN],
    },
    { name: "0: text", bytes: text("Vb\\u000ac\\U0001f600\n."), value: "b\nc\u{1f600}" },
    { name: "0: a wide byte", bytes: Uint8Array.of(0x56, 0xe9, 10, 0x2e), value: "é" },
    { name: "0: quoted", bytes: text("S'a\\x41\\101\\n\\'\"'\n."), value: "aAA\n'\"" },
    { name: "0: quoted bytes", bytes: text("S'\\xff'\n."), value: Uint8Array.of(255) },
    { name: "0: a dictionary", bytes: text("(dp0\nVa\nI1\ns."), value: new Map([["a", 1]]) },
    { name: "0: a dictionary at once", bytes: text("(Va\nI1\nd."), value: new Map([["a", 1]]) },
    { name: "0: remembered", bytes: text("(Va\np7\n0g7\n."), value: "a" },
    { name: "1: short text of Python 2", bytes: Uint8Array.of(0x55, 1, 65, 0x2e), value: "A" },
    { name: "2: a long", bytes: Uint8Array.of(0x8a, 2, 0, 255, 0x2e), value: -256 },
    {
      name: "2: past 2^53",
      bytes: Uint8Array.of(0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 64, 0x2e),
      value: 2n ** 62n,
    },
    { name: "2: a long of length 4", bytes: Uint8Array.of(0x8b, 1, 0, 0, 0, 5, 0x2e), value: 5 },
    { name: "3: bytes", bytes: Uint8Array.of(0x43, 2, 1, 2, 0x2e), value: Uint8Array.of(1, 2) },
    {
      name: "4: a frozen set",
      bytes: Uint8Array.of(0x80, 4, 0x95, 5, 0, 0, 0, 0, 0, 0, 0, 0x28, 0x4b, 1, 0x91, 0x2e),
      value: [1],
    },
    { name: "4: a set", bytes: Uint8Array.of(0x8f, 0x28, 0x4b, 1, 0x90, 0x2e), value: [1] },
    {
      name: "5: a byte array",
      bytes: Uint8Array.of(0x96, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0x2e),
      value: Uint8Array.of(9),
    },
    { name: "a mark taken back", bytes: pickled(op.none, op.mark, op.pop), value: null },
    {
      name: "an ordered dictionary of pairs, as Python 2 wrote it",
      bytes: pickled(
        op.global("collections", "OrderedDict"),
        [...op.mark, ...op.mark, ...op.mark, ...op.text("a"), ...op.integer(1)],
        [...op.list, ...op.list, ...op.tuple, ...op.reduce],
      ),
      value: new Map([["a", 1]]),
    },
  ])("$name", ({ bytes, value }) => {
    expect(read(bytes)).toEqual(value);
  });
});

describe("calls are records", () => {
  const evil = op.global("os", "system");
  const argument = [...op.text("touch /tmp/pwned"), ...op.tuple1];
  test.each([
    { name: "REDUCE", parts: [evil, argument, op.reduce] },
    { name: "NEWOBJ", parts: [evil, argument, op.newObject] },
    { name: "NEWOBJ_EX", parts: [evil, argument, op.emptyDict, op.newObjectWithKeywords] },
    { name: "OBJ", parts: [op.mark, evil, op.text("touch /tmp/pwned"), op.object] },
    { name: "INST", parts: [op.mark, op.text("touch /tmp/pwned"), op.instance("os", "system")] },
    {
      name: "STACK_GLOBAL",
      parts: [op.text("os"), op.text("system"), op.stackGlobal, argument, op.reduce],
    },
  ])("$name", ({ parts }) => {
    const { value, globals } = readPickle(pickled(...parts), 0, []);
    expect(value).toBeInstanceOf(PickleCall);
    expect((value as PickleCall).path).toBe("os.system");
    expect((value as PickleCall).args).toEqual(["touch /tmp/pwned"]);
    expect([...globals]).toEqual(["os.system"]);
  });

  test("a state, items and entries stay with what they would be put into", () => {
    const value = read(
      pickled(op.global("a", "B"), op.emptyTuple, op.newObject, [
        ...seq(op.mark, op.integer(1), op.appends),
        ...seq(op.text("k"), op.integer(2), op.setItem, op.emptyDict, op.build),
      ]),
    ) as PickleCall;
    expect(value.items).toEqual([1]);
    expect(value.entries).toEqual(new Map([["k", 2]]));
    expect(value.state).toEqual(new Map());
  });

  test("a reference outside, both ways", () => {
    expect(read(text("Pkey\n."))).toEqual(new PicklePersistent("key"));
    expect(read(pickled(op.text("key"), [0x51]))).toEqual(new PicklePersistent("key"));
    expect(read(text("ctorch\nfloat32\n."))).toEqual(new PickleGlobal("torch", "float32"));
  });

  test("a list that holds itself", () => {
    const value = read(pickled(op.emptyList, op.memoize, op.get(0), op.append)) as PickleValue[];
    expect(value[0]).toBe(value);
  });
});

const repeated = (count: number, ...codes: number[]): number[] =>
  Array.from({ length: count }, () => codes).flat();

describe("what is refused", () => {
  test.each([
    { name: "nothing", bytes: new Uint8Array(0), code: "FORMAT_TRUNCATED" },
    {
      name: "text of 2^31 bytes",
      bytes: Uint8Array.of(0x58, 0, 0, 0, 0x80, 65),
      code: "FORMAT_TRUNCATED",
    },
    {
      name: "bytes of 2^63",
      bytes: Uint8Array.of(0x8e, 0, 0, 0, 0, 0, 0, 0, 0x80, 65),
      code: "FORMAT_TRUNCATED",
    },
    {
      name: "a negative length",
      bytes: Uint8Array.of(0x8b, 0xff, 0xff, 0xff, 0xff, 1),
      code: "FORMAT_TRUNCATED",
    },
    { name: "a line without end", bytes: text("Iabc"), code: "FORMAT_TRUNCATED" },
    { name: "a number that is none", bytes: text("Ix\n."), code: "FORMAT_MALFORMED" },
    { name: "a float that is none", bytes: text("F\n."), code: "FORMAT_MALFORMED" },
    { name: "a string without quotes", bytes: text("Sx\n."), code: "FORMAT_MALFORMED" },
    { name: "a number without end", bytes: text(`I${"9".repeat(9999)}\n.`), code: "FORMAT_LIMIT" },
    {
      name: "a wide number",
      bytes: Uint8Array.from([0x8b, 0, 4, 0, 0, ...repeated(1024, 1), 0x2e]),
      code: "FORMAT_LIMIT",
    },
    { name: "protocol 6", bytes: Uint8Array.of(0x80, 6, 0x4e, 0x2e), code: "FORMAT_UNSUPPORTED" },
    { name: "an extension", bytes: Uint8Array.of(0x82, 1, 0x2e), code: "FORMAT_UNSUPPORTED" },
    { name: "an outside buffer", bytes: Uint8Array.of(0x97, 0x2e), code: "FORMAT_UNSUPPORTED" },
    { name: "a value from nowhere", bytes: pickled(op.get(9)), code: "FORMAT_MALFORMED" },
    { name: "items without a mark", bytes: pickled(op.none, op.list), code: "FORMAT_MALFORMED" },
    { name: "a key alone", bytes: pickled(op.mark, op.none, op.dict), code: "FORMAT_MALFORMED" },
    {
      name: "items into a number",
      bytes: pickled(op.integer(1), op.none, op.append),
      code: "FORMAT_MALFORMED",
    },
    {
      name: "a global of no name",
      bytes: pickled(op.none, op.none, op.stackGlobal),
      code: "FORMAT_MALFORMED",
    },
    {
      name: "dictionaries without end",
      bytes: pickled(repeated(2 ** 20 + 1, 0x7d)),
      code: "FORMAT_LIMIT",
    },
    {
      name: "marks without end",
      bytes: pickled(repeated(2 ** 20 + 1, 0x28)),
      code: "FORMAT_LIMIT",
    },
    {
      name: "values without end",
      bytes: new Uint8Array(2 ** 23 + 9).fill(0x4e),
      code: "FORMAT_LIMIT",
    },
    {
      name: "one list copied over and over",
      bytes: pickled(
        [...op.mark, ...repeated(5000, 0x4e), ...op.list, ...op.tuple1, ...op.put(0)],
        repeated(2000, ...op.global("collections", "OrderedDict"), ...op.get(0), ...op.reduce),
      ),
      code: "FORMAT_LIMIT",
    },
    {
      name: "one text encoded over and over",
      bytes: pickled(
        [...op.text("x".repeat(5000)), ...op.tuple1, ...op.put(0)],
        repeated(100, ...op.global("_codecs", "encode"), ...op.get(0), ...op.reduce),
      ),
      code: "FORMAT_LIMIT",
    },
  ] as const)("$name", ({ bytes, code }) => {
    let error: unknown;
    try {
      read(bytes);
    } catch (caught) {
      error = caught;
    }
    expect(isWeightGraphError(error, code), String(error)).toBe(true);
  });
});
