import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";

const built = "dist/examples/demo.js";
/** `npm test` builds first; without a build this is skipped on a user's machine and fails in CI. */
const canRun = existsSync(built) || process.env["CI"] === "true";
if (!canRun) console.warn(`skipped: no ${built}, so the demo is not run; npm run build makes it`);

describe.skipIf(!canRun)("npm run demo", () => {
  test("prints a summary and says where the report is", () => {
    const output = execFileSync(process.execPath, [built], { encoding: "utf8" });
    expect(output).toContain("layers 784 - 32 - 16 - 10, 25760 weights");
    expect(output).toMatch(/\n {4}6 +0\.9449 /);
    expect(output).toContain("pictures: demo/report.html");
    expect(existsSync("demo/report.html")).toBe(true);
  });
});
