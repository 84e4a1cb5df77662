import { existsSync, readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { fletcher32, lookup3 } from "../../src/bytes/hdf5/checksum.ts";
import { unpackLzf } from "../../src/bytes/hdf5/lzf.ts";
import { openHdf5, type Hdf5 } from "../../src/bytes/hdf5.ts";
import { memorySource } from "../../src/bytes/source.ts";
import { isWeightGraphError } from "../../src/errors.ts";
import { decodeTensor } from "../../src/tensor/decode.ts";
import type { DType } from "../../src/tensor/dtype.ts";

const folder = fileURLToPath(new URL("../../fixtures/tiny/keras/", import.meta.url));
const names = readdirSync(folder)
  .filter((name) => name.endsWith(".h5"))
  .map((name) => name.slice(0, -3))
  .filter((name) => existsSync(`${folder}${name}.expected.json`));

function open(name: string): Promise<Hdf5> {
  return openHdf5(memorySource(new Uint8Array(readFileSync(`${folder}${name}.h5`)), name));
}

async function codeOf(run: Promise<unknown>): Promise<string> {
  const error: unknown = await run.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return isWeightGraphError(error) ? error.code : String(error);
}

interface Expected {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

describe.each(names)("%s, as h5py wrote it", async (name) => {
  const expected = JSON.parse(readFileSync(`${folder}${name}.expected.json`, "utf8")) as Record<
    string,
    Expected
  >;
  const file = await open(name);

  test.each(Object.keys(expected))("%s", async (path) => {
    const { shape, values } = expected[path]!;
    const array = await file.array(path);
    expect(array?.shape).toEqual(shape);
    const read = async (start: number, end: number): Promise<number[]> =>
      Array.from(decodeTensor(await array!.read(start, end), array!.type as DType, end - start));
    expect(await read(0, values.length)).toEqual(values);
    for (let start = 0; start < values.length; start += 5) {
      const end = Math.min(values.length, start + 7);
      expect(await read(start, end)).toEqual(values.slice(start, end));
    }
  });
});

test.each(["links", "links-latest"])(
  "%s: names, attributes, links inside the file",
  async (name) => {
    const file = await open(name);
    expect(await file.members("/")).toEqual(["a", "many", "relative", "soft"]);
    expect((await file.members("/many")).length).toBe(12);
    expect(await file.texts("/", "texts")).toEqual(["one", "two", "three"]);
    expect(await file.texts("/", "fixed")).toEqual(["a", "bcd"]);
    expect(await file.texts("/many", "note_11")).toEqual(["text 11"]);
    expect(await file.texts("/many", "__proto__")).toBeNull();
    const own = await file.identity("/a/b/x");
    for (const path of ["/soft", "/relative/x", "/a/again/again/b/x"]) {
      expect(await file.identity(path)).toBe(own);
    }
    expect(await file.array("/a/nothing")).toBeNull();
  },
);

test.each([
  { path: "/link", code: "FORMAT_UNSUPPORTED" },
  { path: "/link/below", code: "FORMAT_UNSUPPORTED" },
  { path: "/stored", code: "FORMAT_UNSUPPORTED" },
  { path: "/virtual", code: "FORMAT_UNSUPPORTED" },
  { path: "/loop", code: "FORMAT_MALFORMED" },
])("$path leads out of the file or nowhere: $code", async ({ path, code }) => {
  const file = await open("outside");
  expect(await codeOf(file.array(path))).toBe(code);
});

test("a filter that is not undone is named", async () => {
  const array = await (await open("outside")).array("/filtered");
  const error: unknown = await array!.read(0, 24).catch((thrown: unknown) => thrown);
  expect(isWeightGraphError(error, "FORMAT_UNSUPPORTED")).toBe(true);
  expect(String(error)).toContain("scale-offset");
});

test("one wrong byte of packed data or of an index is noticed", async () => {
  const bytes = new Uint8Array(readFileSync(`${folder}layouts-latest.h5`));
  const [chunk] = await (await (await open("layouts-latest")).array("/shuffled"))!.dataset.chunks();
  const damaged = bytes.slice();
  damaged[chunk!.address + chunk!.byteLength - 5]! ^= 1;
  const file = await openHdf5(memorySource(damaged));
  expect(await codeOf((await file.array("/shuffled"))!.read(0, 24))).toBe("FORMAT_MALFORMED");
  const header = bytes.slice();
  header[20]! ^= 1;
  expect(await codeOf(openHdf5(memorySource(header)))).toBe("FORMAT_MALFORMED");
});

test("checksums, by hand and by the published values of lookup3", () => {
  // lookup3.c, driver5: hashlittle("", 0, 0) and hashlittle("Four score and seven years ago", 30, 0).
  expect(lookup3(new Uint8Array())).toBe(0xdeadbeef);
  expect(lookup3(new TextEncoder().encode("Four score and seven years ago"))).toBe(0x17770551);
  // Words 0x0102, 0x0300: sums 0x0402 and 0x0504.
  expect(fletcher32(Uint8Array.of(1, 2, 3))).toBe(0x05040402);
});

test("LZF: literals and references, and damage", () => {
  const path = ["lzf"];
  // "ab", then six bytes from two bytes before.
  const packed = Uint8Array.of(1, 97, 98, (4 << 5) | 0, 1);
  expect(Array.from(unpackLzf(packed, 100, path))).toEqual([97, 98, 97, 98, 97, 98, 97, 98]);
  expect(() => unpackLzf(Uint8Array.of(0x80, 9), 100, path)).toThrow("damaged");
  expect(() => unpackLzf(packed, 4, path)).toThrow("damaged");
});
