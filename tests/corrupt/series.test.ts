/** Damaged logs, manifests and names beside sound checkpoints: a series that tells what was wrong, or a typed error. */
import { expect, test } from "vitest";
import { dateOf } from "../../src/formats/series/seriesFile.ts";
import {
  createRandom,
  isWeightGraphError,
  parseSeriesManifest,
  readSeries,
} from "../../src/index.ts";
import { mutateBytes } from "../fuzz/mutateBytes.ts";
import { eventFile, joined, record } from "../helpers/eventFile.ts";
import { folder, network } from "../helpers/series.ts";

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const events = eventFile([
  { step: 0, value: [{ tag: "loss", simpleValue: 1 }] },
  {
    step: 1,
    value: [
      {
        tag: "loss",
        tensor: { dtype: 1, floatVal: [2], tensorShape: { dim: [{ size: 1 }] } },
        metadata: { pluginData: { pluginName: "scalars" } },
      },
    ],
  },
]);
const logs: Readonly<Record<string, Uint8Array>> = {
  "log.json": text(
    '{"lr":0.1,"log":[{"epoch":0,"loss":2,"val":{"acc":NaN}},{"epoch":1,"loss":1}]}',
  ),
  "metrics.jsonl": text('{"epoch":0,"mode":"train","loss":2}\n{"epoch":1,"mode":"val","loss":1}\n'),
  "history.json": text('{"loss":[2,1],"acc":{"0":0.1,"1":0.2}}'),
  "history.csv": text('epoch,"loss","a ""b"""\n0,2,\n1,"1",nan\n'),
  "log.txt": text("Epoch 0/2 - 3s - loss: 2.0\nEpoch 1/2 - 4s - loss: 1.0\n"),
  "events.out.tfevents.1.host": events,
};
const checkpoints = { "epoch_0.safetensors": network(2), "epoch_1.safetensors": network(2) };

test.each(Object.keys(logs))("%s cut at every byte", async (name) => {
  const whole = logs[name]!;
  for (let length = 0; length < whole.byteLength; length++) {
    const series = await readSeries(
      "run",
      folder({ ...checkpoints, [name]: whole.slice(0, length) }),
    );
    expect(series.snapshots, `cut at ${length}`).toHaveLength(2);
    JSON.stringify(series);
  }
});

test.each(Object.keys(logs))("%s, 1500 mutations", async (name) => {
  const random = createRandom(17);
  for (let round = 0; round < 1500; round++) {
    const damaged = mutateBytes(logs[name]!, random);
    const series = await readSeries("run", folder({ ...checkpoints, [name]: damaged }));
    expect(series.snapshots, `round ${round}`).toHaveLength(2);
    JSON.stringify(series);
  }
});

test("events, 1500 mutations behind sound sums", async () => {
  const random = createRandom(19);
  // The second record, without its frame.
  const start = 16 + Number(new DataView(events.buffer).getBigUint64(0, true)) + 12;
  const event = events.slice(start, events.byteLength - 4);
  for (let round = 0; round < 1500; round++) {
    const damaged = joined([record(mutateBytes(event, random)), record(event)]);
    const files = folder({ ...checkpoints, "events.out.tfevents.1.host": damaged });
    expect((await readSeries("run", files)).snapshots, `round ${round}`).toHaveLength(2);
  }
});

test("manifests, 3000 mutations", () => {
  const random = createRandom(23);
  const seeds = [
    '{"snapshots":[{"epoch":0,"file":"a.pt","metrics":{"loss":1}},{"step":1,"path":"b.pt"}]}',
    "file,epoch,loss\na.pt,0,1\nb.pt,1,\n",
    '{"0":"a.pt","1":"b.pt"}',
  ].map(text);
  for (let round = 0; round < 3000; round++) {
    const damaged = new TextDecoder().decode(mutateBytes(seeds[round % 3]!, random));
    try {
      for (const { date } of parseSeriesManifest(damaged, "list.json") ?? []) {
        expect(Number.isFinite(date?.epoch ?? 0), `round ${round}`).toBe(true);
      }
    } catch (error) {
      expect(isWeightGraphError(error), `round ${round}: ${String(error)}`).toBe(true);
    }
  }
});

test("names: any has an epoch that is a whole number, or none", () => {
  const random = createRandom(29);
  const parts = [
    "epoch",
    "step",
    "ckpt",
    "_",
    "-",
    "=",
    ".",
    "/",
    "12",
    "0.5",
    "2024-01-05",
    "k",
    "v2",
    "loss",
    "nan",
    "e",
    "😀",
    "\u0000",
  ];
  for (let round = 0; round < 20_000; round++) {
    const name = Array.from(
      { length: 1 + random.integer(10) },
      () => parts[random.integer(parts.length)]!,
    ).join("");
    const date = dateOf(name);
    if (date !== null) expect(Number.isSafeInteger(date.epoch) && date.epoch >= 0, name).toBe(true);
  }
});

test.each([
  ["a long name", `${"epoch_1_".repeat(4000)}.pt`],
  ["digits", `${"1".repeat(20_000)}.pt`],
  ["dots and digits", `${"0.".repeat(20_000)}pt`],
  ["words and digits", `${"a_1-".repeat(8000)}b`],
])("a name of %s ends", (_, name) => {
  expect(dateOf(name)?.epoch ?? 0).toBeGreaterThanOrEqual(0);
});

test.each([
  ["words", "log.txt", `epoch 1 ${"a.".repeat(200_000)}`],
  ["words in lines", "log.txt", `epoch 1 ${"a.".repeat(2000)}\n`.repeat(1000)],
  ["digits", "history.csv", `epoch,loss\n0,${"1".repeat(200_000)}x`],
  ["spaces", "log.txt", `epoch 1 a${" ".repeat(200_000)}`],
  ["open quotes", "history.csv", `epoch,loss\n${'"'.repeat(200_001)}`],
  ["open brackets", "log.json", "[".repeat(200_000)],
  ["NaNs", "log.json", "[NaN,".repeat(50_000)],
])("a log of %s ends", async (_, name, content) => {
  const series = await readSeries("run", folder({ ...checkpoints, [name]: content }));
  expect(series.snapshots).toHaveLength(2);
});
