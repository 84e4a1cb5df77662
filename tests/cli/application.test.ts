import { expect, test } from "vitest";
import { printable } from "../../cli/render.ts";
import { weightgraph } from "../helpers/commandLine.ts";

test.each([
  { name: "no such command", argv: ["bogus"], code: 2, says: /bogus/ },
  { name: "a missing argument", argv: ["layers"], code: 2, says: /FILE/ },
  { name: "an unknown flag", argv: ["layers", "x", "--bogus"], code: 2, says: /--bogus/ },
  { name: "a wrong path", argv: ["layers", "/no/such.onnx"], code: 2, says: /FILE_NOT_FOUND/ },
  { name: "a foreign file", argv: ["layers", "package.json"], code: 4, says: /FORMAT_UNKNOWN/ },
])("$name ends with exit code $code, nothing on stdout", async ({ argv, code, says }) => {
  const result = await weightgraph(argv);
  expect(result.code).toBe(code);
  expect(result.stdout).toBe("");
  expect(result.stderr).toMatch(says);
});

test("the version is the package's", async () => {
  expect((await weightgraph(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("names from files cannot drive a terminal", () => {
  expect(printable("a\u001b[31mb\u202ec\u0007")).toBe("a\\u{1b}[31mb\\u{202e}c\\u{7}");
  expect(printable("Größe 重み")).toBe("Größe 重み");
});
