import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { tfRecords } from "../../../../src/bytes/tfRecord.ts";
import { parseEventLog } from "../../../../src/formats/series/logs/eventLog.ts";
import { memorySource, readSeries } from "../../../../src/index.ts";
import {
  crc32cBitwise,
  eventFile,
  joined,
  record,
  type EventValue,
} from "../../../helpers/eventFile.ts";
import { codes, folder, network } from "../../../helpers/series.ts";

const parse = async (bytes: Uint8Array) => {
  const { records, notes } = await parseEventLog(memorySource(bytes, "events"));
  return {
    rows: records.map(({ epoch, step, metrics }) => [epoch, step, Object.fromEntries(metrics)]),
    notes,
  };
};

const scalars = { metadata: { pluginData: { pluginName: "scalars" } } };
const loss = (simpleValue: number): EventValue => ({ tag: "loss", simpleValue });

test("the sum that the helper makes is CRC-32C (RFC 3720, B.4)", () => {
  expect(crc32cBitwise(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32cBitwise(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  expect(crc32cBitwise(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
});

test("a file that Python wrote", async () => {
  const bytes = await readFile(
    "fixtures/tiny/series/logs/train/events.out.tfevents.1700000000.host.1.0",
  );
  expect(await parse(new Uint8Array(bytes))).toEqual({
    rows: [
      [null, 0, { epoch_loss: 2.5, epoch_accuracy: 0.125 }],
      [null, 1, { epoch_loss: 1.25, epoch_accuracy: 0.5 }],
      [null, 2, { epoch_loss: NaN, epoch_accuracy: 0.75 }],
    ],
    notes: ["values that are no scalars are left out: 3 of histograms"],
  });
});

test.each<{ name: string; value: EventValue; expected: Record<string, number> }>([
  { name: "simple", value: loss(0.25), expected: { loss: 0.25 } },
  { name: "NaN", value: loss(NaN), expected: { loss: NaN } },
  {
    name: "float, content",
    value: {
      tag: "a",
      tensor: {
        dtype: 1,
        tensorShape: {},
        tensorContent: Buffer.from(Float32Array.of(0.5).buffer),
      },
      ...scalars,
    },
    expected: { a: 0.5 },
  },
  {
    name: "float, value",
    value: { tag: "a", tensor: { dtype: 1, floatVal: [0.5] } },
    expected: { a: 0.5 },
  },
  {
    name: "double",
    value: {
      tag: "a",
      tensor: { dtype: 2, doubleVal: [0.1], tensorShape: { dim: [{ size: 1 }] } },
    },
    expected: { a: 0.1 },
  },
  {
    name: "half",
    value: { tag: "a", tensor: { dtype: 19, halfVal: [0x3800] } },
    expected: { a: 0.5 },
  },
  { name: "int64", value: { tag: "a", tensor: { dtype: 9, int64Val: [-7] } }, expected: { a: -7 } },
  {
    name: "a zero that is left out",
    value: { tag: "a", tensor: { dtype: 1, tensorShape: {} } },
    expected: { a: 0 },
  },
])("a scalar: $name", async ({ value, expected }) => {
  expect(await parse(eventFile([{ step: 7, value: [value] }]))).toEqual({
    rows: [[null, 7, expected]],
    notes: [],
  });
});

test.each<{ name: string; value: EventValue }>([
  {
    name: "a histogram",
    value: {
      tag: "a",
      tensor: { dtype: 2, doubleVal: [1, 2, 3], tensorShape: { dim: [{ size: 1 }, { size: 3 }] } },
      metadata: { pluginData: { pluginName: "histograms" } },
    },
  },
  {
    name: "a text",
    value: {
      tag: "a",
      tensor: { dtype: 7, stringVal: [Buffer.from("x")] },
      metadata: { pluginData: { pluginName: "text" } },
    },
  },
  { name: "a vector", value: { tag: "a", tensor: { dtype: 1, floatVal: [1, 2] }, ...scalars } },
])("no scalar: $name", async ({ value }) => {
  const { rows, notes } = await parse(eventFile([{ step: 7, value: [value] }]));
  expect(rows).toEqual([]);
  expect(notes[0]).toMatch(/no scalars are left out: 1 of/);
});

test("Lightning's scalar of the epoch", async () => {
  const value = [loss(0.5), { tag: "epoch", simpleValue: 3 }];
  expect((await parse(eventFile([{ step: 400, value }]))).rows).toEqual([[3, 400, { loss: 0.5 }]]);
});

describe("damage", () => {
  const whole = eventFile([
    { step: 1, value: [loss(1)] },
    { step: 2, value: [loss(2)] },
  ]);

  test("cut at every byte: what is whole is kept, the cut is told", async () => {
    let lengths = new Set<number>();
    for (let length = 0; length < whole.byteLength; length++) {
      const { rows, notes } = await parse(whole.slice(0, length));
      lengths = lengths.add(rows.length);
      expect(rows.length).toBeLessThan(2);
      const isBetween = notes.length === 0;
      if (!isBetween) expect(notes).toEqual([`the last record is cut at byte ${length}`]);
    }
    expect(lengths).toEqual(new Set([0, 1]));
  });

  test("a flipped bit in the data costs that record, in a length the rest", async () => {
    const flipped = whole.slice();
    flipped[flipped.length - 6]! ^= 1;
    expect(await parse(flipped)).toEqual({
      rows: [[null, 1, { loss: 1 }]],
      notes: ["1 records do not fit their sums and are left out"],
    });
    const broken = whole.slice();
    broken[0]! ^= 1;
    await expect(parse(broken)).rejects.toMatchObject({ code: "FORMAT_MALFORMED" });
  });

  test("a record that is no event", async () => {
    const junk = joined([whole, record(Uint8Array.of(0xff, 0xff, 0xff))]);
    await expect(parse(junk)).rejects.toMatchObject({ code: /^FORMAT_/ });
  });

  test("a record above the limit", async () => {
    const options = { onDamage: () => undefined, maxRecordLength: 4 };
    const records = tfRecords(memorySource(record(new Uint8Array(5))), options);
    await expect(records.next()).rejects.toMatchObject({ code: "FORMAT_LIMIT" });
  });
});

test("in a run: folders become prefixes", async () => {
  const event = (value: number): Uint8Array =>
    eventFile([
      { step: 0, value: [loss(value)] },
      { step: 1, value: [loss(value + 1)] },
    ]);
  const series = await readSeries(
    "run",
    folder({
      "epoch_0.safetensors": network(2),
      "epoch_1.safetensors": network(2),
      "logs/train/events.out.tfevents.1.a": event(1),
      "logs/validation/events.out.tfevents.1.a": event(5),
    }),
  );
  expect(series.snapshots.map(({ metrics }) => metrics)).toEqual([
    { "train/loss": 1, "validation/loss": 5 },
    { "train/loss": 2, "validation/loss": 6 },
  ]);
  expect(new Set(codes(series))).toEqual(new Set(["SERIES_LOG_BY"]));
});
