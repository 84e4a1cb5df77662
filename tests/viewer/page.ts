/** A real browser on the viewer's page: Debian's chromium, driven by playwright-core. */
import { existsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { build } from "vite";
import { serveView } from "../../cli/viewServer.ts";
import type { Model, Series } from "../../src/node.ts";

const executablePath = "/usr/bin/chromium";

/** False on a machine without chromium, and says so; in CI its absence is a failure. */
export const hasBrowser: boolean = existsSync(executablePath) || process.env["CI"] === "true";
if (!hasBrowser)
  console.warn(`skipped: no ${executablePath}, so no test of the viewer's page runs`);

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** The page, built from the sources as they are. */
export async function buildPage(): Promise<string> {
  const outDir = await mkdtemp(join(tmpdir(), "weightgraph-page-"));
  await build({ root: "viewer", logLevel: "error", build: { outDir, emptyOutDir: true } });
  return outDir;
}

export interface OpenPage {
  readonly page: Page;
  /** Everything that went wrong: console errors, exceptions, failed and foreign requests. */
  readonly problems: readonly string[];
  close(): Promise<void>;
}

/** Serves `shown`, opens its page and waits for the first drawing. */
export async function openPage(
  browser: Browser,
  shown: Model | Series,
  { pageFolder, theme = "dark" }: { pageFolder: string; theme?: "dark" | "light" },
): Promise<OpenPage> {
  const served = await serveView(shown, { pageFolder });
  const page = await browser.newPage({
    viewport: { width: 1280, height: 760 },
    colorScheme: theme,
  });
  const problems: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("requestfailed", (request) => problems.push(`failed: ${request.url()}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(served.url)) problems.push(`foreign: ${request.url()}`);
  });
  await page.goto(served.url);
  await page.waitForSelector("html[data-drawn]");
  return {
    page,
    problems,
    async close() {
      await page.close();
      await served.close();
    },
  };
}
