import * as Plot from "@observablehq/plot";
import { plotGrid, plotSvg, shortened, tickText } from "./plotSvg.ts";

/** Weights of one layer, counted: `counts[i]` of them lie between `low + i · step` and the next. */
export interface WeightHistogram {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  readonly counts: readonly number[];
}

const bins = 48;

/** Weights that are all the same stand in the middle. Cost: two passes over the values, which are finite. */
export function weightHistogram(name: string, values: ArrayLike<number>): WeightHistogram {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    if (values[i]! < low) low = values[i]!;
    if (values[i]! > high) high = values[i]!;
  }
  if (low === high) {
    const margin = Math.abs(low) / 2 || 0.5;
    low -= margin;
    high += margin;
  }
  const counts = Array.from({ length: bins }, () => 0);
  for (let i = 0; i < values.length; i++) {
    const bin = Math.floor((bins * (values[i]! - low)) / (high - low));
    counts[Math.min(bins - 1, bin)]!++;
  }
  return { name, low, high, counts };
}

/** Small multiples, a layer each; heights are shares of the layer's weights. */
export function weightPlots(histograms: readonly WeightHistogram[]): string {
  const [width, height] = [250, 140];
  const plots = histograms.map(({ name, low, high, counts }) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    const step = (high - low) / bins;
    const bars = counts.map((count, i) => ({
      x1: low + i * step,
      x2: low + (i + 1) * step,
      y: count / total,
      sign: low + (i + 0.5) * step < 0 ? "negative" : "positive",
    }));
    return plotSvg({
      width,
      height,
      marginLeft: 40,
      marginTop: 28,
      marginRight: 14,
      marginBottom: 26,
      x: { label: null, ticks: 5, tickFormat: tickText },
      y: { label: null, ticks: 3, grid: true, tickFormat: "~%" },
      color: { domain: ["negative", "positive"], range: ["#d9620f", "#2f6fd6"] },
      marks: [
        Plot.rectY(bars, { x1: "x1", x2: "x2", y: "y", fill: "sign", insetRight: 0.5 }),
        Plot.ruleY([0]),
        Plot.text([shortened(name)], {
          frameAnchor: "top-left",
          dx: -34,
          dy: -22,
          fontWeight: "600",
          fontSize: 12,
        }),
      ],
    });
  });
  return plotGrid(plots, { columns: 4, width, height });
}

export interface LayerValues {
  readonly name: string;
  /** Of the nodes that the measure covers. */
  readonly values: readonly number[];
}

/** Larger layers get a box alone: their strokes would be one bar, and megabytes. */
export const mostStrokes = 2000;

/** One row a layer: each neuron a stroke, a box from the lower to the upper quartile. */
export function strengthPlot(layers: readonly LayerValues[]): string {
  const rows = layers.map(({ name, values }, i) => ({
    label: `${i + 1}  ${shortened(name)}`,
    values,
  }));
  const points = rows.flatMap(({ label, values }) => values.map((value) => ({ label, value })));
  const strokes = rows.flatMap(({ label, values }) =>
    values.length > mostStrokes ? [] : values.map((value) => ({ label, value })),
  );
  const longest = rows.reduce((length, { label }) => Math.max(length, label.length), 0);
  return plotSvg({
    width: 1000,
    height: 60 + 34 * rows.length,
    marginLeft: 24 + 6.5 * longest,
    marginRight: 16,
    x: { label: null, grid: true, tickFormat: tickText },
    y: { label: null, domain: rows.map(({ label }) => label), tickSize: 0 },
    marks: [
      Plot.ruleX([0], { strokeOpacity: 0.4 }),
      Plot.tickX(strokes, { x: "value", y: "label", stroke: "#2f6fd6", strokeOpacity: 0.3 }),
      Plot.boxX(points, {
        x: "value",
        y: "label",
        fill: "#f1b24a",
        fillOpacity: 0.75,
        r: 0,
        insetTop: 8,
        insetBottom: 8,
      }),
    ],
  });
}
