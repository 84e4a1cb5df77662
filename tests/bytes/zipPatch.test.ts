import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { joinPieces, piecesLength } from "../../src/bytes/pieces.ts";
import { memorySource } from "../../src/bytes/source.ts";
import { openZip } from "../../src/bytes/zip.ts";
import { patchZip, type ZipChange } from "../../src/bytes/zipPatch.ts";
import { isWeightGraphError } from "../../src/index.ts";
import { unzipped, zipArchive, type ZipFiles } from "../helpers/zip.ts";

const ramp = Uint8Array.from({ length: 3000 }, (_, i) => (i * i) >> 4);
const files: ZipFiles = { first: Uint8Array.of(1, 2, 3), "w/a": ramp, "w/b": ramp.slice(0, 99) };
const ways = {
  stored: { level: 0, dataDescriptor: false },
  "stored, sizes behind": { level: 0, dataDescriptor: true },
  "stored, 64-bit": { level: 0, zip64: true, dataDescriptor: true },
  deflated: { level: 6, dataDescriptor: false, comment: "kept" },
  "deflated, sizes behind": { level: 6, dataDescriptor: true },
  "deflated, 64-bit": { level: 6, zip64: true },
} as const;

async function patched(
  bytes: Uint8Array,
  changes: Readonly<Record<string, ZipChange>>,
): Promise<Uint8Array> {
  const pieces = await patchZip(memorySource(bytes, "a.zip"), new Map(Object.entries(changes)));
  const joined = await joinPieces(pieces);
  expect(joined.byteLength).toBe(piecesLength(pieces));
  return joined;
}

describe.each(Object.entries(ways))("%s", (_, options) => {
  test("an edit", async () => {
    const archive = await zipArchive(files, options);
    const edits = [
      { offset: 10, bytes: Uint8Array.of(250, 251) },
      { offset: 11, bytes: Uint8Array.of(252) },
    ];
    const after = await patched(archive, { "w/a": { edits } });
    const wanted = ramp.slice();
    wanted.set([250, 252], 10);
    expect(await unzipped(after)).toEqual({ ...files, "w/a": wanted });
    if (options.level === 0) {
      expect(after.byteLength).toBe(archive.byteLength);
      const differing = after.reduce((sum, byte, i) => sum + (byte === archive[i] ? 0 : 1), 0);
      expect(differing).toBeLessThanOrEqual(2 + 2 * 4);
    }
  });

  test("another content, of the same or another length", async () => {
    const archive = await zipArchive(files, options);
    for (const content of [ramp.toReversed(), ramp.slice(7), new Uint8Array(), ramp]) {
      const after = await patched(archive, { "w/a": { content } });
      expect(await unzipped(after)).toEqual({ ...files, "w/a": content });
      for (const entry of await openZip(memorySource(after))) {
        expect(await entry.read()).toEqual({ ...files, "w/a": content }[entry.name]);
      }
    }
  });

  test("no change, or one that changes nothing, changes no byte", async () => {
    const archive = await zipArchive(files, options);
    const same = { edits: [{ offset: 4, bytes: ramp.slice(4, 40) }] };
    for (const changes of [
      {},
      { "w/a": same },
      { "w/a": { content: ramp }, first: { edits: [] } },
    ]) {
      expect(await patched(archive, changes)).toEqual(archive);
    }
  });

  test("there and back", async () => {
    const archive = await zipArchive(files, options);
    const there = await patched(archive, {
      "w/a": { content: new Uint8Array(4) },
      "w/b": { content: ramp },
    });
    const back = await patched(there, {
      "w/a": { content: ramp },
      "w/b": { content: files["w/b"]! },
    });
    expect(await unzipped(back)).toEqual(files);
    if (options.level === 0) expect(back).toEqual(archive);
  });
});

test("entries in front of a change keep their bytes, times and comments", async () => {
  const archive = await zipArchive(files, ways.deflated);
  const after = await patched(archive, { "w/b": { content: ramp } });
  const place = archive.byteLength - after.byteLength;
  expect(place).toBeLessThan(0);
  expect(after.subarray(0, 1500)).toEqual(archive.subarray(0, 1500));
});

test("random edits of random archives", async () => {
  const content = fc.uint8Array({ maxLength: 200 });
  const net = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), content, { minKeys: 1, maxKeys: 5 });
  await fc.assert(
    fc.asyncProperty(net, fc.infiniteStream(content), fc.nat(5), async (before, stream, mask) => {
      const archive = await zipArchive(before, (name) => ({ level: (name.length + mask) % 2 }));
      const changed = Object.keys(before).filter((_, i) => (mask >> (i % 3)) & 1);
      const fresh = Object.fromEntries(changed.map((name) => [name, stream.next().value]));
      const changes = Object.entries(fresh).map(([name, bytes]) => [name, { content: bytes }]);
      const after = await patched(
        archive,
        Object.fromEntries(changes) as Record<string, ZipChange>,
      );
      expect(await unzipped(after)).toEqual({ ...before, ...fresh });
    }),
    { numRuns: 60 },
  );
});

test.each([
  { name: "no such entry", changes: { x: { edits: [] } }, code: "USAGE_INVALID_OPTION" },
  {
    name: "an edit past the end",
    changes: { first: { edits: [{ offset: 2, bytes: Uint8Array.of(1, 2) }] } },
    code: "FORMAT_TRUNCATED",
  },
] as const)("$name", async ({ changes, code }) => {
  const archive = await zipArchive(files, ways.stored);
  const error: unknown = await patched(archive, changes).catch((e) => e);
  expect(isWeightGraphError(error, code), String(error)).toBe(true);
});
