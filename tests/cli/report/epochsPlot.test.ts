import { parseHTML } from "linkedom";
import { describe, expect, test } from "vitest";
import { epochsPlot } from "../../../cli/report/epochsPlot.ts";
import {
  layeredGraph,
  openSeries,
  snapshotRecords,
  type SignatureRecord,
} from "../../../src/node.ts";

async function recordsOf(scope: "graph" | "layer"): Promise<SignatureRecord[]> {
  const { snapshots } = await openSeries("fixtures/mnist-mlp");
  const records: SignatureRecord[] = [];
  for (const snapshot of snapshots.slice(0, 3)) {
    const graph = await layeredGraph(await snapshot.load());
    records.push(...snapshotRecords({ epoch: snapshot.epoch, graph }, { scope }));
  }
  return records;
}

describe("epochsPlot", () => {
  test("is an svg of its own with a panel per statistic and metric, a dot per epoch", async () => {
    const metrics = [
      { epoch: 0, metrics: { loss: 2 } },
      { epoch: 1, metrics: {} },
      { epoch: 2, metrics: { loss: 0.5 } },
    ];
    const text = epochsPlot(await recordsOf("graph"), metrics);
    expect(text).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    const { document } = parseHTML(text);
    expect(document.querySelectorAll("svg svg")).toHaveLength(9);
    const dots = [...document.querySelectorAll("svg svg")].map(
      (panel) => panel.querySelectorAll("circle").length,
    );
    expect(dots).toEqual([3, 3, 3, 3, 3, 3, 3, 3, 2]);
  });

  test("by layer, a line each and a key with their names", async () => {
    const { document } = parseHTML(epochsPlot(await recordsOf("layer")));
    const panels = [...document.querySelectorAll("svg svg")];
    expect(panels[0]?.querySelectorAll('[aria-label="line"] path')).toHaveLength(4);
    for (const name of ["input", "0.weight", "4.weight"]) {
      expect(panels.at(-1)?.textContent).toContain(name);
    }
  });

  test("names of layers and metrics are text", async () => {
    const evil = `<img src=x onerror="alert(1)">\u202E`;
    const records = (await recordsOf("layer")).map((record) => ({
      ...record,
      layer: `${record.layer}${evil}`,
    }));
    const text = epochsPlot(records, [{ epoch: 0, metrics: { [evil]: 1 } }]);
    expect(parseHTML(text).document.querySelectorAll("img")).toHaveLength(0);
    expect(text).not.toMatch(/<img|\u202E/);
  });
});
