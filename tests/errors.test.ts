import { describe, expect, test } from "vitest";
import { FormatError, isWeightGraphError, UsageError } from "../src/errors.ts";

describe("errors", () => {
  test("carry code, path and hint", () => {
    const error = new FormatError("FORMAT_TRUNCATED", "cut", {
      path: ["a.onnx", 3],
      hint: "fetch",
    });
    expect(error).toMatchObject({ name: "FormatError", code: "FORMAT_TRUNCATED", hint: "fetch" });
    expect(error.path).toEqual(["a.onnx", 3]);
  });

  test("are known by their code, not by their class", () => {
    const copy = Object.assign(new Error("from another copy of the library"), {
      code: "FILE_EXISTS",
    });
    expect(isWeightGraphError(copy)).toBe(true);
    expect(isWeightGraphError(copy, "FORMAT_UNKNOWN")).toBe(false);
    expect(isWeightGraphError(Object.assign(new Error("system"), { code: "ENOENT" }))).toBe(false);
    expect(isWeightGraphError(new UsageError("USAGE_INVALID_OPTION", "no"))).toBe(true);
  });
});
