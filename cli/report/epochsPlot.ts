import * as Plot from "@observablehq/plot";
import type { SignatureRecord } from "../../src/index.ts";
import { printable } from "../render.ts";
import { plotGrid, plotSvg, tickText } from "./plotSvg.ts";

export interface EpochMetrics {
  readonly epoch: number;
  readonly metrics: Readonly<Record<string, number>>;
}

const statistics = [
  ["mean", "mean"],
  ["std", "standard deviation"],
  ["skewness", "skewness"],
  ["kurtosis", "excess kurtosis"],
] as const;
const [width, height] = [250, 150];
const colours = ["#2f6fd6", "#d9620f", "#2a9d8f", "#8a5cd1", "#c2413b", "#6b7280"];

/**
 * Small multiples over the epochs: for each measure (and layer, if the records are by layer) mean, standard deviation, skewness
 * and excess kurtosis of its node values; below them each metric. The text of an `svg` that stands on its own.
 */
export function epochsPlot(
  records: readonly SignatureRecord[],
  metrics: readonly EpochMetrics[] = [],
): string {
  const measures = [...new Set(records.map(({ measure }) => measure))];
  const panels = measures.flatMap((measure, i) =>
    statistics.map(([statistic, title]) =>
      panel(
        `${measure}: ${title}`,
        records
          .filter((record) => record.measure === measure)
          .map((record) => ({
            epoch: record.epoch,
            value: record[statistic],
            line: record.layer ?? "",
          })),
        colours[i % colours.length]!,
      ),
    ),
  );
  const names = [...new Set(metrics.flatMap((one) => Object.keys(one.metrics)))];
  const metricPanels = names.map((name) =>
    panel(
      printable(name),
      metrics.flatMap(({ epoch, metrics: own }) => {
        const value = own[name];
        return value === undefined ? [] : [{ epoch, value, line: "" }];
      }),
      colours.at(-1)!,
    ),
  );
  return plotGrid([...panels, ...metricPanels], { columns: statistics.length, width, height });
}

interface Point {
  readonly epoch: number;
  readonly value: number;
  readonly line: string;
}

function panel(title: string, points: readonly Point[], colour: string): string {
  const layers = new Set(points.map(({ line }) => line)).size;
  const channels = { x: "epoch", y: "value", z: "line", stroke: layers > 1 ? "line" : colour };
  return plotSvg({
    width,
    height,
    marginLeft: 48,
    marginTop: 28,
    marginRight: 14,
    marginBottom: 26,
    // Epochs are whole: no tick between two of them.
    x: {
      label: null,
      ticks: 5,
      tickFormat: (epoch: number) => (epoch % 1 === 0 ? `${epoch}` : ""),
    },
    y: { label: null, ticks: 4, grid: true, nice: true, tickFormat: tickText },
    marks: [
      Plot.text([title], {
        frameAnchor: "top-left",
        dx: -40,
        dy: -22,
        fontWeight: "600",
        fontSize: 12,
      }),
      Plot.lineY(points, { ...channels, strokeWidth: 2 }),
      Plot.dotY(points, { ...channels, r: 2.4, fill: "white" }),
    ],
  });
}
