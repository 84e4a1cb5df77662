import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseHTML } from "linkedom";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { collectReport } from "../../../cli/report/collectReport.ts";
import { renderReport } from "../../../cli/report/renderReport.ts";
import { openModel, openSeries, type Model } from "../../../src/node.ts";
import { weightgraph, weightgraphJson } from "../../helpers/commandLine.ts";

const file = "fixtures/mnist-mlp/final.onnx";
const evil = `"><script>alert(1)</script><img src=x onerror='alert(2)'>\u202E`;

let model: Model;
beforeAll(async () => {
  model = await openModel(file);
});

describe("renderReport", () => {
  test("shows graph, training, weights, measures, layers and coverage in one file", async () => {
    const series = await openSeries("fixtures/mnist-mlp");
    const page = renderReport(await collectReport(model, { series }));
    const { document } = parseHTML(page);
    const titles = [...document.querySelectorAll("h2")].map(({ textContent }) => textContent);
    expect(titles).toEqual(["Training", "Weights", "Measures", "Layers", "Warnings"]);
    expect(document.querySelector("figcaption")?.textContent).toMatch(
      /^Showing 6,000 of 25,760 edges, 63\.\d+ % of \|w\|\./,
    );
    expect(document.querySelectorAll("svg.graph path").length).toBeGreaterThan(40);
    expect(page).toContain("eigenvector: excess kurtosis");
    expect(page).toContain("0.9449");
    expect(page).toContain("Every parameter of the file is explained.");
  });

  test("needs nothing from elsewhere: no script, link, picture or address besides SVG's name", async () => {
    const page = renderReport(await collectReport(model));
    expect(page).not.toMatch(/<(script|link|img|iframe|object|embed)\b/i);
    expect(page).not.toMatch(/@import|url\(|\bsrc=|\bhref=/i);
    expect(page.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:/);
  });

  test("the same data give the same bytes", async () => {
    const pages = [
      renderReport(await collectReport(model)),
      renderReport(await collectReport(model)),
    ];
    expect(pages[0]).toBe(pages[1]);
  });

  test("strings of a file are text, wherever they show", async () => {
    const hostile: Model = {
      ...model,
      name: evil,
      producer: evil,
      warnings: [{ code: evil, message: evil }],
      layers: model.layers.map((layer) => ({ ...layer, name: evil, op: evil })),
      topology: {
        ...model.topology,
        layers: model.topology.layers.map((layer) => ({ ...layer, name: evil })),
      },
    };
    const series = await openSeries("fixtures/mnist-mlp");
    const snapshots = series.snapshots.map((snapshot) => ({
      ...snapshot,
      name: evil,
      metrics: { [evil]: 1, ...snapshot.metrics },
      load: () => snapshot.load(),
    }));
    const warnings = [{ code: evil, message: evil }];
    const training = { ...series, name: evil, snapshots, warnings };
    const page = renderReport(await collectReport(hostile, { series: training }));
    const { document } = parseHTML(page);
    expect(document.querySelectorAll("script, img").length).toBe(0);
    expect(page).not.toContain("\u202E");
    expect(document.querySelector("h1")?.textContent).toContain("<script>alert(1)</script>");
    for (const element of document.querySelectorAll("*")) {
      for (const { name } of element.attributes) expect(name).not.toMatch(/^on/i);
    }
  });
});

describe("weightgraph report", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "weightgraph-report-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("writes the page, never over another unasked", async () => {
    const out = join(folder, "report.html");
    const told = await weightgraphJson(["report", file, "--out", out]);
    const written = await readFile(out);
    expect(told).toEqual({
      schema: "weightgraph.report",
      version: 1,
      path: out,
      byteLength: written.byteLength,
    });
    expect((await weightgraph(["report", file, "--out", out])).stderr).toContain("FILE_EXISTS");
    expect((await weightgraph(["report", file, "--out", out, "--force"])).code).toBe(0);
  });

  test("a folder that is not there is a wrong use", async () => {
    const out = join(folder, "other.html");
    const { code } = await weightgraph(["report", file, "--series", "nowhere", "--out", out]);
    expect(code).toBe(2);
  });
});
