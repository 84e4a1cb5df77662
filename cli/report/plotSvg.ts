import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { numberText, printable } from "../render.ts";

const { document } = parseHTML("<!doctype html><html><body></body></html>");

/** A plot as the text of an `svg` element: Observable Plot on a document of its own, no browser needed. */
export function plotSvg(options: Plot.PlotOptions): string {
  const drawing = Plot.plot({
    document,
    style: { fontFamily: "system-ui, sans-serif", fontSize: "11px", background: "none" },
    ...options,
  });
  return drawing.outerHTML;
}

/** Plots in rows of `columns`, as one `svg` that also stands on its own in a file. */
export function plotGrid(
  plots: readonly string[],
  { columns, width, height }: { columns: number; width: number; height: number },
): string {
  const wide = Math.min(columns, plots.length) * width;
  const tall = Math.ceil(plots.length / columns) * height;
  const placed = plots.map((plot, i) => {
    const x = (i % columns) * width;
    const y = Math.floor(i / columns) * height;
    return `<g transform="translate(${x},${y})">${plot}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${wide} ${tall}" width="${wide}" height="${tall}" style="background:#fff;color:#1a2130">${placed.join("")}</svg>`;
}

/** A tick's number as the tables write it. */
export function tickText(value: number): string {
  return numberText(Number(value.toPrecision(6)));
}

/** A name that fits beside a plot: its middle gives way. */
export function shortened(name: string): string {
  const text = printable(name);
  return text.length > 30 ? `${text.slice(0, 14)}…${text.slice(-15)}` : text;
}
