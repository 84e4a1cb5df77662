/** The same training in a browser gives the same bytes as here. */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { build } from "vite";
import { hasBrowser, launchBrowser } from "../viewer/page.ts";
import { trainBriefly } from "./briefTraining.ts";

test("training lowers the loss, and a seed decides every byte", async () => {
  const first = await trainBriefly(3);
  expect(first[19]!).toBeLessThan(first[0]! / 2);
  expect(await trainBriefly(3)).toEqual(first);
  expect(await trainBriefly(4)).not.toEqual(first);
});

describe.skipIf(!hasBrowser)("in a browser", { timeout: 120_000 }, () => {
  test("the wasm engine loads without files and gives the same bytes", async () => {
    const bundle = await bundled();
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage();
      await page.addScriptTag({ content: bundle });
      const there = await page.evaluate<number[]>("brief.trainBriefly(3)");
      expect(there).toEqual(await trainBriefly(3));
    } finally {
      await browser.close();
    }
  });
});

async function bundled(): Promise<string> {
  const entry = fileURLToPath(new URL("briefTraining.ts", import.meta.url));
  const result = await build({
    configFile: false,
    logLevel: "error",
    build: { write: false, minify: false, lib: { entry, name: "brief", formats: ["iife"] } },
  });
  const [first] = Array.isArray(result) ? result : [result];
  if (first === undefined || !("output" in first)) throw new Error("vite gave no bundle");
  return first.output[0].code;
}
