import { expect, test } from "vitest";
import { parsePythonLiteral } from "../../../src/formats/npz/pythonLiteral.ts";
import { thrownBy } from "../../helpers/errors.ts";

test.each([
  ["(3,)", [3]],
  ["(3, 4L)", [3, 4]],
  ["()", []],
  ["('a')", "a"],
  ["['a']", ["a"]],
  [
    "[('x', '<f4'), ('y', '<i4', (2,))]",
    [
      ["x", "<f4"],
      ["y", "<i4", [2]],
    ],
  ],
  [
    "{'a': None, \"b\": True, }",
    new Map<string, unknown>([
      ["a", null],
      ["b", true],
    ]),
  ],
  [String.raw`'it\'s \x41\\'`, "it's A\\"],
  [" -7 \n", -7],
])("%s", (text, value) => {
  expect(parsePythonLiteral(text, [])).toEqual(value);
});

test.each([
  "",
  "f(1)",
  "(1",
  "1)",
  "(1 2)",
  "{'a'}",
  "(,)",
  "1.5",
  "__import__",
  "'open",
  "1 + 1",
  "{1: 2, 3}",
])("refused: %s", (text) => {
  thrownBy(() => parsePythonLiteral(text, []), "FORMAT_MALFORMED");
});
