import { describe, expect, test } from "vitest";
import { parseJsonLog } from "../../../../src/formats/series/logs/jsonLog.ts";
import type { LogRecord } from "../../../../src/formats/series/logs/logRecord.ts";
import { parseTableLog } from "../../../../src/formats/series/logs/tableLog.ts";
import { parseTextLog } from "../../../../src/formats/series/logs/textLog.ts";
import { isWeightGraphError } from "../../../../src/index.ts";

type Row = readonly [number | null, number | null, Record<string, number>];

const rows = (records: readonly LogRecord[] | null | undefined): Row[] =>
  (records ?? []).map(({ epoch, step, metrics }) => [epoch, step, Object.fromEntries(metrics)]);

const two: Row[] = [
  [0, null, { loss: 2 }],
  [1, null, { loss: 1 }],
];

describe("JSON", () => {
  test.each<{ name: string; text: string; expected: Row[] }>([
    {
      name: "a list",
      text: '[{"epoch":0,"loss":2},{"epoch":1,"loss":1}]',
      expected: two,
    },
    {
      name: "a list inside",
      text: '{"lr":0.1,"dims":[1,2],"log":[{"epoch":0,"loss":2},{"epoch":1,"loss":1}]}',
      expected: two,
    },
    { name: "lines", text: '{"epoch":0,"loss":2}\n\n{"epoch":1,"loss":1}\r\n', expected: two },
    {
      name: "lines, the last cut",
      text: '{"epoch":0,"loss":2}\n{"epoch":1,"loss":1}\n{"epoch":2,"lo',
      expected: two,
    },
    { name: "Keras' History", text: '{"loss":[2,1]}', expected: two },
    {
      name: "History, one level down",
      text: '{"params":{"epochs":2},"history":{"loss":[2,1]}}',
      expected: two,
    },
    { name: "columns as pandas has them", text: '{"loss":{"0":2,"1":1}}', expected: two },
    { name: "columns with epochs", text: '{"epoch":[0,1],"loss":[2,1]}', expected: two },
    { name: "records without epochs", text: '[{"loss":2},{"loss":1}]', expected: two },
    {
      name: "what is no number",
      text: '[{"epoch":0,"loss":2},{"epoch":1,"note":"x","seed":"7","loss":1,"lr":null},{"loss":9}]',
      expected: two,
    },
    {
      name: "Python's NaN and Infinity, in texts too",
      text: '[{"epoch":0,"loss":NaN,"note":"a \\"NaN\\""},{"epoch":1,"loss":-Infinity,"acc":"nan"}]',
      expected: [
        [0, null, { loss: NaN }],
        [1, null, { loss: -Infinity, acc: NaN }],
      ],
    },
    {
      name: "a trainer's state",
      text: '{"epoch":2.0,"global_step":20,"log_history":[{"epoch":0.5,"loss":2,"step":10},{"epoch":1.0,"eval_loss":1,"step":20}]}',
      expected: [
        [0.5, 10, { loss: 2 }],
        [1, 20, { eval_loss: 1 }],
      ],
    },
    {
      name: "objects inside",
      text: '[{"epoch":1,"metrics":{"loss":2},"val":{"loss":3,"deep":{"x":1}}}]',
      expected: [[1, null, { loss: 2, "val/loss": 3 }]],
    },
    {
      name: "modes, and steps within the epoch",
      text: '{"mode":"train","epoch":1,"iter":50,"loss":2}\n{"mode":"val","epoch":1,"iter":7,"loss":3}',
      expected: [
        [1, null, { "train/loss": 2 }],
        [1, null, { "val/loss": 3 }],
      ],
    },
    { name: "steps", text: '{"step":500,"loss":2}', expected: [[null, 500, { loss: 2 }]] },
    { name: "one record", text: '{"loss":2}', expected: [[null, null, { loss: 2 }]] },
    { name: "none", text: '{"a":["x"]}', expected: [] },
    {
      name: "names of JavaScript's own",
      text: '[{"epoch":0,"__proto__":1,"constructor":2}]',
      expected: [
        [0, null, JSON.parse('{"__proto__":1,"constructor":2}') as Record<string, number>],
      ],
    },
  ])("$name", ({ text, expected }) => {
    expect(rows(parseJsonLog(text, "log.json").records)).toEqual(expected);
  });

  test.each(["{", "not json\nat all", '{"epoch":0}\n{"epoch":\n{"epoch":2}'])(
    "%j is malformed",
    (text) => {
      let error: unknown;
      try {
        parseJsonLog(text, "log.json");
      } catch (thrown) {
        error = thrown;
      }
      expect(isWeightGraphError(error, "FORMAT_MALFORMED")).toBe(true);
    },
  );

  test("what was guessed is told", () => {
    expect(parseJsonLog('[{"loss":2}]', "a").notes).toHaveLength(1);
    expect(parseJsonLog('{"epoch":0,"a":1}\n{"epoch":1,"a":1}\n{"e', "a").notes).toHaveLength(1);
    expect(parseJsonLog('{"loss":[1]}', "a").notes).toEqual([]);
  });
});

describe("tables", () => {
  test.each<{ name: string; text: string; expected: Row[] }>([
    { name: "Keras' CSVLogger", text: "epoch,loss\n0,2\n1,1\n", expected: two },
    { name: "semicolons", text: "epoch;loss\n0;2\n1;1", expected: two },
    { name: "decimal commas", text: "epoch;loss\n0;2,0\n1;1,0", expected: two },
    { name: "tabs, line ends of Windows", text: "epoch\tloss\r\n0\t2\r\n1\t1\r\n", expected: two },
    { name: "padded heads", text: "   epoch,     loss\n     0,   2\n     1,   1\n", expected: two },
    { name: "pandas' index", text: ",loss\n0,2\n1,1\n", expected: two },
    { name: "no epoch", text: "loss,note\n2,a\n1,b\n", expected: two },
    {
      name: "quotes, a byte order mark",
      text: '\uFEFF"epoch","a ""b"", c",loss\n0,"x\ny",2\n1,,1\n',
      expected: two,
    },
    {
      name: "Lightning's sparse rows",
      text: "epoch,step,train_loss,val_loss\n0,49,0.5,\n0,99,,0.25\n",
      expected: [
        [0, 49, { train_loss: 0.5 }],
        [0, 99, { val_loss: 0.25 }],
      ],
    },
    {
      name: "TensorBoard's download",
      text: "Wall time,Step,Value\n1700000000.5,10,0.5\n",
      expected: [[null, 10, { Value: 0.5 }]],
    },
    {
      name: "numbers that are none",
      text: "epoch,loss\n0,nan\n1,-inf\n",
      expected: [
        [0, null, { loss: NaN }],
        [1, null, { loss: -Infinity }],
      ],
    },
  ])("$name", ({ text, expected }) => {
    expect(rows(parseTableLog(text)?.records)).toEqual(expected);
  });

  test.each(["", "just a line", "1,2,3\n4,5,6"])("%j is none", (text) => {
    expect(parseTableLog(text)).toBeNull();
  });
});

describe("lines", () => {
  test.each([
    "Epoch 0/2 - 3s - loss: 2.0 - 10/100\nEpoch 1/2 - 4s - loss: 1.0\n",
    "12:00 epoch=0 loss=2\n12:01 saved\n12:02 epoch=1 loss=1",
    "[epoch: 0] loss 2\n[epoch: 1] loss 1",
  ])("%j", (text) => expect(rows(parseTextLog(text))).toEqual(two));

  test.each([
    "Epoch 0 [10/100] loss: 2\nEpoch 0 [20/100] loss: 1",
    "epoch 0 loss 1 loss 2",
    "nothing to see",
    "epoch 3 of them",
  ])("%j is ambiguous or none", (text) => expect(parseTextLog(text)).toBeNull());
});
