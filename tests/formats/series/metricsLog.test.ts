import { expect, test } from "vitest";
import { parseMetricsLog } from "../../../src/formats/series/metricsLog.ts";
import { isWeightGraphError } from "../../../src/index.ts";

const parse = (text: string): unknown =>
  Object.fromEntries(parseMetricsLog(new TextEncoder().encode(text), "log.json"));

test.each([
  { name: "a list", text: '[{"epoch":0,"loss":2},{"epoch":1,"loss":1}]' },
  {
    name: "a list inside",
    text: '{"lr":0.1,"dims":[1,2],"log":[{"epoch":0,"loss":2},{"epoch":1,"loss":1}]}',
  },
  { name: "lines", text: '{"epoch":0,"loss":2}\n\n{"epoch":1,"loss":1}\r\n' },
  {
    name: "records that share an epoch, and what is no number",
    text: '[{"epoch":0,"loss":2},{"epoch":1,"note":"x"},{"epoch":1,"loss":1,"lr":null},{"loss":9}]',
  },
])("$name", ({ text }) => {
  expect(parse(text)).toEqual({ 0: { loss: 2 }, 1: { loss: 1 } });
});

test("steps count where no epoch stands", () => {
  expect(parse('{"step":500,"loss":2}')).toEqual({ 500: { step: 500, loss: 2 } });
});

test.each(["{", "not json\nat all"])("%j is malformed", (text) => {
  let error: unknown;
  try {
    parse(text);
  } catch (thrown) {
    error = thrown;
  }
  expect(isWeightGraphError(error, "FORMAT_MALFORMED")).toBe(true);
});

test("JSON without records is an empty log", () => expect(parse('{"a":[1,2]}')).toEqual({}));
