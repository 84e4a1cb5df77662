import { rm } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openModel, openSeries, type Model } from "../../src/node.ts";
import { buildPage, hasBrowser, launchBrowser, openPage, type OpenPage } from "./page.ts";

/** Of this run, beside the ones that were looked at and kept. */
const screenshots = "tests/viewer/screenshots/latest";

/** Pixels of the picture by hue, read from a screenshot of the stage. */
async function coloursOf(page: Page): Promise<{ blue: number; orange: number; lit: number }> {
  const shot = await page.locator("#graph").screenshot();
  return page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d");
    if (context === null) throw new Error("no 2d canvas");
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    const found = { blue: 0, orange: 0, lit: 0 };
    for (let i = 0; i < data.length; i += 4) {
      const [red, green, blue] = [data[i] ?? 0, data[i + 1] ?? 0, data[i + 2] ?? 0];
      if (Math.max(red, green, blue) > 70) found.lit++;
      if (blue - red > 50) found.blue++;
      if (red - blue > 50) found.orange++;
    }
    return found;
  }, shot.toString("base64"));
}

async function drawn(page: Page, epoch: number): Promise<void> {
  await page.waitForSelector(`html[data-drawn="${epoch}"]`);
}

async function moveSlider(page: Page, id: string, value: number): Promise<void> {
  await page.locator(`#${id}`).fill(String(value));
}

/** Where a neuron stands on the page: the marker of the pinned neuron tells. */
async function placeOf(page: Page, query: string): Promise<{ x: number; y: number }> {
  await page.fill("#search-input", query);
  await page.press("#search-input", "Enter");
  await page.waitForSelector("#marker:not([hidden])");
  const box = await page.locator("#marker").boundingBox();
  if (box === null) throw new Error(`no marker for ${query}`);
  await page.keyboard.press("Escape");
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

describe.skipIf(!hasBrowser)("the viewer in a browser", () => {
  let browser: Browser;
  let pageFolder: string;
  beforeAll(async () => {
    [browser, pageFolder] = await Promise.all([launchBrowser(), buildPage()]);
  });
  afterAll(async () => {
    await browser?.close();
    if (pageFolder !== undefined) await rm(pageFolder, { recursive: true });
  });

  describe("a training series", () => {
    let open: OpenPage;
    beforeAll(async () => {
      open = await openPage(browser, await openSeries("fixtures/mnist-mlp"), { pageFolder });
    });
    afterAll(async () => {
      await open?.close();
    });

    test("draws neurons and edges of both signs, and says how much of the whole it shows", async () => {
      const { page } = open;
      const { blue, orange, lit } = await coloursOf(page);
      expect(blue).toBeGreaterThan(2000);
      expect(orange).toBeGreaterThan(2000);
      expect(lit).toBeGreaterThan(10_000);
      const shown = await page.textContent("#shown");
      expect(shown).toMatch(/^Showing 20,000 of 25,760 edges, 97\.\d+ % of \|w\|$/);
      expect(await page.textContent("#model")).toContain("842 neurons in 4 layers");
      await page.screenshot({ path: `${screenshots}/series-dark.png` });
    });

    test("the epoch slider changes metrics, legend and picture", async () => {
      const { page } = open;
      expect(await page.textContent("#timeline .metrics")).toContain("0.9449");
      const legend = await page.textContent("#legend");
      await moveSlider(page, "epoch", 0);
      await drawn(page, 0);
      expect(await page.textContent("#epoch-label")).toBe("epoch 0");
      expect(await page.textContent("#timeline .metrics")).toContain("0.0297");
      expect(await page.textContent("#legend")).not.toBe(legend);
      await moveSlider(page, "epoch", 6);
      await drawn(page, 6);
      expect(await page.textContent("#legend")).toBe(legend);
    });

    test("play runs through the epochs and stops at the last", async () => {
      const { page } = open;
      await moveSlider(page, "epoch", 5);
      await drawn(page, 5);
      await page.click("#play");
      await drawn(page, 6);
      await page.waitForSelector('#play[aria-label="Play the epochs"]');
    });

    test("hovering a neuron opens its card: place, measures, strongest edges of the whole graph", async () => {
      const { page } = open;
      const { x, y } = await placeOf(page, "input 405");
      await page.mouse.move(x, y);
      await page.waitForSelector("#hover:not([hidden]) .edges");
      const card = await page.textContent("#hover");
      expect(card).toContain("neuron 405 of 784");
      expect(card).toContain("Node strength");
      expect(card).toContain("Strongest out of 32");
      expect(await page.textContent('#hover [data-measure="strength"]')).toMatch(/-?\d+\.\d+#\d+/);
      await page.mouse.move(5, 400);
      await page.waitForSelector("#hover", { state: "hidden" });
    });

    test("a click pins a neuron, its neighbours are buttons, Escape lets go", async () => {
      const { page } = open;
      const { x, y } = await placeOf(page, "4.weight 3");
      await page.mouse.click(x, y);
      await page.waitForSelector("#neuron .edges");
      expect(await page.textContent("#neuron")).toContain("neuron 3 of 10");
      await page.locator("#neuron .link").first().click();
      await page.waitForFunction(() =>
        document.querySelector("#neuron")?.textContent?.includes("of 16"),
      );
      await page.keyboard.press("Escape");
      expect(await page.textContent("#neuron")).toContain("Point at a neuron");
    });

    test("the keyboard alone reaches neurons", async () => {
      const { page } = open;
      await page.focus("#graph");
      for (const key of ["ArrowDown", "ArrowDown", "ArrowRight"]) await page.keyboard.press(key);
      await page.waitForFunction(() =>
        document.querySelector("#neuron")?.textContent?.includes("neuron 0 of 32"),
      );
      await page.keyboard.press("Escape");
    });

    test("signs, number of edges and measures can be chosen, and the share follows", async () => {
      const { page } = open;
      await page.uncheck("#control-negative");
      await page.mouse.move(5, 400);
      const shareOf = async (): Promise<number> =>
        Number(/, ([\d.]+) %/.exec((await page.textContent("#shown")) ?? "")?.[1]);
      const positive = await shareOf();
      expect(positive).toBeGreaterThan(30);
      expect(positive).toBeLessThan(60);
      await moveSlider(page, "control-edges", 50);
      expect(await shareOf()).toBeLessThan(10);
      await page.selectOption("#control-colourBy", "hypercore");
      await page.selectOption("#control-range", "graph");
      expect(await page.textContent("#legend")).toContain("Hypercore number");
      await page.check("#control-negative");
      await moveSlider(page, "control-edges", 100);
      expect(await page.textContent("#shown")).toContain("Showing 20,000");
    });

    test("nothing went wrong on the way, and nothing was asked of another host", () => {
      expect(open.problems).toEqual([]);
    });
  });

  describe("a model on its own", () => {
    test("has no timeline, follows the system's light theme, and keeps the choice of another", async () => {
      const model = await openModel("fixtures/mnist-mlp/final.onnx");
      const open = await openPage(browser, model, { pageFolder, theme: "light" });
      const { page, problems } = open;
      expect(await page.isVisible("#timeline")).toBe(false);
      expect(await page.getAttribute("html", "data-theme")).toBe("light");
      expect(await page.textContent("#model")).toContain("final.onnx");
      expect((await coloursOf(page)).blue).toBeGreaterThan(1000);
      await page.screenshot({ path: `${screenshots}/model-light.png` });
      await page.click('button[title="Light or dark"]');
      expect(await page.getAttribute("html", "data-theme")).toBe("dark");
      expect(problems).toEqual([]);
      await open.close();
    });

    test("names from a file are text: markup stays visible, direction marks are spelt out", async () => {
      const model = await openModel("fixtures/mnist-mlp/final.onnx");
      const evil = "<img src=x onerror=alert(1)>\u202Egpj.exe";
      const hostile: Model = {
        ...model,
        name: evil,
        topology: {
          ...model.topology,
          layers: model.topology.layers.map((layer) => ({ ...layer, name: evil })),
        },
      };
      const open = await openPage(browser, hostile, { pageFolder });
      const text = await open.page.textContent("#model");
      expect(text).toContain("<img src=x onerror=alert(1)>\\u{202e}gpj.exe");
      expect(await open.page.locator("img[src=x]").count()).toBe(0);
      expect(open.problems).toEqual([]);
      await open.close();
    });
  });
});
