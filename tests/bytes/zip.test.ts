import type { ZipWriterAddDataOptions } from "@zip.js/zip.js";
import { describe, expect, test } from "vitest";
import { crc32 } from "../../src/bytes/crc32.ts";
import { memorySource } from "../../src/bytes/source.ts";
import { openZip, type ZipEntry } from "../../src/bytes/zip.ts";
import { isWeightGraphError, readModel, type ErrorCode } from "../../src/index.ts";
import { zipArchive } from "../helpers/zip.ts";

const ramp = Uint8Array.from({ length: 5000 }, (_, i) => (i * i) >> 3);
const files = { "a.bin": ramp, "inner/b.bin": Uint8Array.of(1, 2, 3), empty: new Uint8Array() };

const ways: readonly { name: string; options: ZipWriterAddDataOptions }[] = [
  { name: "stored", options: { level: 0 } },
  { name: "deflated", options: { level: 6, dataDescriptor: false } },
  { name: "deflated, sizes behind the bytes", options: { level: 6, dataDescriptor: true } },
  { name: "stored, sizes behind", options: { level: 0, dataDescriptor: true } },
  { name: "64-bit sizes", options: { level: 0, zip64: true } },
  {
    name: "64-bit sizes behind the bytes, without their signature",
    options: { zip64: true, dataDescriptor: true, dataDescriptorSignature: false },
  },
  { name: "extra fields", options: { extraField: new Map([[0x4246, new Uint8Array(40)]]) } },
];

describe.each(ways)("an archive, $name", ({ options }) => {
  const isStored = options.level === 0;

  test("whole entries, spans and parts", async () => {
    const entries = await opened(await zipArchive(files, options));
    expect([...entries.keys()]).toEqual(Object.keys(files));
    for (const [name, wanted] of Object.entries(files)) {
      const entry = entries.get(name)!;
      expect([entry.byteLength, entry.hasUnsafeName]).toEqual([wanted.length, false]);
      expect(await entry.read()).toEqual(wanted);
      const parts: number[] = [];
      for await (const part of entry.chunks()) parts.push(...part);
      expect(Uint8Array.from(parts)).toEqual(wanted);
    }
    const entry = entries.get("a.bin")!;
    for (const [start, end] of [
      [0, 10],
      [4000, 4007],
      [4990, 5000],
      [7, 7],
    ] as const) {
      expect(await entry.slice(start, end)).toEqual(ramp.subarray(start, end));
    }
  });

  test("the place of what is stored", async () => {
    const bytes = await zipArchive(files, options);
    const entry = (await opened(bytes)).get("a.bin")!;
    expect(entry.isStored).toBe(isStored);
    const at = await entry.dataOffset();
    if (at === null) expect(isStored).toBe(false);
    else expect(bytes.subarray(at, at + 5000)).toEqual(ramp);
  });
});

test("the checksum of the standard's own example", () => {
  const digits = new TextEncoder().encode("123456789");
  expect(crc32(digits).toString(16)).toBe("cbf43926"); // paper: the check value of CRC-32/ISO-HDLC
  expect(crc32(digits.subarray(4), crc32(digits.subarray(0, 4)))).toBe(crc32(digits));
});

test.each([
  ["../up", true],
  ["a/../../b", true],
  ["/etc/passwd", true],
  ["C:\\x", true],
  ["a\\b", true],
  ["a\u0000b", true],
  ["a..b/c.npy", false],
  ["__proto__", false],
  ["größe/权重", false],
])("the name %j is unsafe: %s", async (name, isUnsafe) => {
  const entries = await opened(await zipArchive({ [name]: ramp }, { useUnicodeFileNames: true }));
  expect([...entries.values()].map((entry) => [entry.name, entry.hasUnsafeName])).toEqual([
    [name, isUnsafe],
  ]);
});

const stored = await zipArchive(
  { "a.bin": Uint8Array.of(7, 8, 9), "b.bin": Uint8Array.of(4) },
  {
    level: 0,
    dataDescriptor: false,
    extendedTimestamp: false,
  },
);
const directoryAt = new DataView(stored.buffer).getUint32(stored.byteLength - 6, true);
const zeros = await zipArchive({ zeros: new Uint8Array(1e6) }, { level: 9 });
const encrypted = await zipArchive({ a: ramp }, { password: "x" });
/** Not as tight as deflate can, but tighter than weights are. */
const noise = Uint8Array.from({ length: 4e5 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);
const bomb = announced(await zipArchive({ noise }, { level: 1 }), 3e8);

describe("what is refused", () => {
  const cases: readonly { name: string; bytes: Uint8Array; code: ErrorCode }[] = [
    { name: "no directory", bytes: stored.slice(0, -1), code: "FORMAT_TRUNCATED" },
    { name: "bytes in front", bytes: joined(new Uint8Array(5), stored), code: "FORMAT_MALFORMED" },
    { name: "bytes behind", bytes: joined(stored, new Uint8Array(5)), code: "FORMAT_TRUNCATED" },
    {
      name: "two entries of one name",
      bytes: damaged([directoryAt + 46 + 5 + 46, 0x61], [38 + 30, 0x61]),
      code: "FORMAT_MALFORMED",
    },
    { name: "another name where it lies", bytes: damaged([30, 0x7a]), code: "FORMAT_MALFORMED" },
    { name: "another size where it lies", bytes: damaged([18, 2]), code: "FORMAT_MALFORMED" },
    { name: "another checksum there", bytes: damaged([14, 0]), code: "FORMAT_MALFORMED" },
    { name: "another packing there", bytes: damaged([8, 8]), code: "FORMAT_MALFORMED" },
    { name: "a name that runs on", bytes: damaged([27, 200]), code: "FORMAT_MALFORMED" },
    { name: "a wrong checksum", bytes: damaged([36, 1]), code: "FORMAT_MALFORMED" },
    {
      name: "an entry in another",
      bytes: damaged([directoryAt + 51 + 42, 5]),
      code: "FORMAT_MALFORMED",
    },
    {
      name: "more entries than there are",
      bytes: damaged([stored.byteLength - 12, 3], [stored.byteLength - 14, 3]),
      code: "FORMAT_MALFORMED",
    },
    {
      name: "a directory of 2^30 entries",
      bytes: hugeDirectory(2 ** 30),
      code: "FORMAT_MALFORMED",
    },
    {
      name: "part 2 of an archive",
      bytes: damaged([stored.byteLength - 18, 1]),
      code: "FORMAT_UNSUPPORTED",
    },
    {
      name: "an unknown packing",
      bytes: damaged([8, 12], [directoryAt + 10, 12]),
      code: "FORMAT_UNSUPPORTED",
    },
    {
      name: "an encrypted entry",
      bytes: encrypted,
      code: "FORMAT_UNSUPPORTED",
    },
    {
      name: "more out of it than announced",
      bytes: announced(zeros, 1e5),
      code: "FORMAT_MALFORMED",
    },
    { name: "less out of it", bytes: announced(zeros, 1e6 + 5), code: "FORMAT_MALFORMED" },
    { name: "tighter than deflate packs", bytes: announced(zeros, 2e6), code: "FORMAT_LIMIT" },
    { name: "a bomb", bytes: bomb, code: "FORMAT_LIMIT" },
  ];
  test.each(cases)("$name", async ({ bytes, code }) => {
    const error: unknown = await readAll(bytes).catch((e) => e);
    expect(isWeightGraphError(error, code), String(error)).toBe(true);
  });

  test("a checksum that was never made may be ignored", async () => {
    const [entry] = await openZip(memorySource(damaged([36, 1])), { checksums: false });
    expect(await entry!.read()).toEqual(Uint8Array.of(7, 1, 9));
  });
});

async function opened(bytes: Uint8Array): Promise<Map<string, ZipEntry>> {
  const entries = await openZip(memorySource(bytes, "a.zip"));
  return new Map(entries.map((entry) => [entry.name, entry]));
}

async function readAll(bytes: Uint8Array): Promise<void> {
  for (const entry of await openZip(memorySource(bytes))) await entry.read();
}

/** `stored` with bytes changed, as [place, value]. */
function damaged(...changes: readonly (readonly [number, number])[]): Uint8Array {
  const bytes = stored.slice();
  for (const [at, value] of changes) bytes[at] = value;
  return bytes;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** A single-entry archive whose directory announces another unpacked size. */
function announced(archive: Uint8Array, byteLength: number): Uint8Array {
  const bytes = archive.slice();
  const view = new DataView(bytes.buffer);
  const directory = view.getUint32(bytes.byteLength - 6, true);
  view.setUint32(directory + 24, byteLength, true);
  if (view.getUint32(22, true) !== 0) view.setUint32(22, byteLength, true);
  const descriptor = bytes.findLastIndex(
    (_, at) => at < directory && view.getUint32(at, true) === 0x08074b50,
  );
  if (descriptor > 0) view.setUint32(descriptor + 12, byteLength, true);
  return bytes;
}

function hugeDirectory(count: number): Uint8Array {
  const bytes = new Uint8Array(98);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x06064b50, true);
  view.setBigUint64(4, 44n, true);
  view.setBigUint64(24, BigInt(count), true);
  view.setBigUint64(32, BigInt(count), true);
  view.setUint32(56, 0x07064b50, true);
  view.setUint32(76, 0x06054b50, true);
  view.setUint16(84, 0xffff, true);
  view.setUint16(86, 0xffff, true);
  return bytes;
}

test("a damaged archive of no known format says what is wrong with it", async () => {
  const archive = await zipArchive({ "notes.txt": ramp });
  const code = async (bytes: Uint8Array): Promise<unknown> =>
    readModel(memorySource(bytes)).catch((error: { code: unknown }) => error.code);
  expect(await code(archive)).toBe("FORMAT_UNKNOWN");
  expect(await code(archive.slice(0, -30))).toBe("FORMAT_TRUNCATED");
});
