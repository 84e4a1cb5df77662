import { expect, test } from "vitest";
import { visitMarks } from "../../src/graph/visitMarks.ts";

test("true once per node and walk", () => {
  const marks = visitMarks(2);
  expect([marks.first(0), marks.first(0), marks.first(1)]).toEqual([true, false, true]);
  marks.next();
  expect([marks.first(1), marks.first(1)]).toEqual([true, false]);
});
