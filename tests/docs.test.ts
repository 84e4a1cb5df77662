/** The documentation keeps up with the code: generated pages are current, links lead somewhere, every error code is in use. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { errorCodes } from "../src/errors.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

function filesUnder(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending))
    .map((file) => join(folder, file));
}

test("docs/errors.md is the table of codes; `npx vitest run tests/docs.test.ts -u` renews it", async () => {
  const lines = Object.entries(errorCodes).map(([code, sentence]) => `- \`${code}\`: ${sentence}`);
  const page = `# Errors

Every failure has a code, a place in the input and, where there is one, a remedy. Codes are stable: programs may rely on them.
This page is made from the table in \`src/errors.ts\`.

${lines.join("\n")}
`;
  await expect(page).toMatchFileSnapshot("../docs/errors.md");
});

describe("every relative link leads to a file", () => {
  const pages = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "fixtures/README.md",
    ...filesUnder("docs", ".md"),
    ...filesUnder("src", ".md"),
  ];
  test.each(pages)("%s", (page) => {
    const links = readFileSync(join(root, page), "utf8").matchAll(/\]\(([^)#\s]+)[^)]*\)/g);
    for (const [, link] of links) {
      if (/^[a-z]+:/.test(link!)) continue;
      expect(existsSync(join(root, dirname(page), link!)), `${page} links to ${link}`).toBe(true);
    }
  });
});

test("every error code is thrown by the code and provoked by a test", () => {
  const text = (folder: string, ending: string): string =>
    filesUnder(folder, ending)
      .filter((file) => !file.endsWith("src/errors.ts") && !file.endsWith("docs.test.ts"))
      .map((file) => readFileSync(join(root, file), "utf8"))
      .join("\n");
  const sources = text("src", ".ts") + text("cli", ".ts");
  const tests = text("tests", ".ts");
  const missing = (where: string): string[] =>
    Object.keys(errorCodes).filter((code) => !where.includes(code));
  expect({ neverThrown: missing(sources), neverTested: missing(tests) }).toEqual({
    neverThrown: [],
    neverTested: [],
  });
});
