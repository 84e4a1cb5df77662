import * as Plot from "@observablehq/plot";
import type { SignatureRecord } from "../../src/index.ts";
import { printable } from "../render.ts";
import { plotGrid, plotSvg, shortened, tickText } from "./plotSvg.ts";

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

/** Lines that the key names; with more, every name would be too small to read. */
const mostNames = 9;

/**
 * Small multiples over the epochs: for each measure mean, standard deviation, skewness and excess kurtosis of its node values;
 * below them each metric. Records by layer give a line per layer, in colours from first to last, and a key. The text of an
 * `svg` that stands on its own.
 */
export function epochsPlot(
  records: readonly SignatureRecord[],
  metrics: readonly EpochMetrics[] = [],
): string {
  const layers = [...new Set(records.flatMap(({ layer }) => layer ?? []))];
  const measures = [...new Set(records.map(({ measure }) => measure))];
  const panels = measures.flatMap((measure, i) => {
    const own = records.filter((record) => record.measure === measure);
    return statistics.map(([statistic, title]) => {
      const points = own.map((record) => ({
        epoch: record.epoch,
        value: record[statistic],
        line: record.layer,
      }));
      return panel(`${measure}: ${title}`, points, {
        colour: colours[i % colours.length]!,
        layers,
      });
    });
  });
  const names = [...new Set(metrics.flatMap((one) => Object.keys(one.metrics)))];
  const metricPanels = names.map((name) => {
    const points = metrics.flatMap(({ epoch, metrics: own }) => {
      const value = Object.hasOwn(own, name) ? own[name] : undefined;
      return value === undefined || !Number.isFinite(value) ? [] : [{ epoch, value, line: null }];
    });
    return panel(printable(name), points, { colour: colours.at(-1)!, layers: [] });
  });
  const key = layers.length > 1 ? [layerKey(layers)] : [];
  return plotGrid([...panels, ...metricPanels, ...key], {
    columns: statistics.length,
    width,
    height,
  });
}

interface Point {
  readonly epoch: number;
  readonly value: number;
  /** Layer, or null for the whole graph. */
  readonly line: string | null;
}

function panel(
  title: string,
  points: readonly Point[],
  { colour, layers }: { readonly colour: string; readonly layers: readonly string[] },
): string {
  const byLayer = layers.length > 1;
  const channels = { x: "epoch", y: "value", z: "line", stroke: byLayer ? "line" : colour };
  return plotSvg({
    width,
    height,
    marginLeft: 48,
    marginTop: 28,
    marginRight: 14,
    marginBottom: 26,
    ...(byLayer && { color: layerColours(layers) }),
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

function layerColours(layers: readonly string[]): Plot.ScaleOptions {
  return { type: "ordinal", domain: [...layers], scheme: "turbo" };
}

function layerKey(layers: readonly string[]): string {
  const rows = layers.slice(0, mostNames).map((layer, row) => ({ layer, row }));
  const more = layers.length - rows.length;
  return plotSvg({
    width,
    height,
    margin: 8,
    axis: null,
    color: layerColours(layers),
    x: { domain: [0, 1] },
    y: { domain: [mostNames + 0.5, -0.5] },
    marks: [
      Plot.dot(rows, { x: 0.06, y: "row", r: 4, fill: "layer" }),
      Plot.text(rows, {
        x: 0.1,
        y: "row",
        text: ({ layer }: { layer: string }) => shortened(layer),
        textAnchor: "start",
      }),
      ...(more === 0
        ? []
        : [
            Plot.text([`and ${more} more, to the last`], {
              x: 0.1,
              y: mostNames,
              textAnchor: "start",
            }),
          ]),
    ],
  });
}
