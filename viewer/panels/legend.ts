import type { ViewStructure } from "../../src/index.ts";
import { along, css, palettes, type Theme } from "../../cli/picture/colours.ts";
import { element, svgElement } from "../element.ts";
import {
  rampOf,
  sizeOf,
  type MeasureScale,
  type ValueRange,
} from "../../cli/picture/measureScale.ts";
import { scaleOf, type Store, type ViewState } from "../state.ts";
import { numberText, printable } from "../text.ts";

const width = 248;
const bins = 31;
/** What sizes say when each layer has its own scale. */
const ends = ["least", "median", "most of a layer"];
const barsHeight = 42;

/** Colours, sizes and line colours with the numbers that they stand for in this epoch. */
export function legendPanel(panel: HTMLElement, structure: ViewStructure, store: Store): void {
  store.follow(["epoch", "colourBy", "sizeBy", "range", "theme", "edgeShare"], (state) => {
    const colour = scaleOf(structure, state, "colourBy");
    const size = scaleOf(structure, state, "sizeBy");
    panel.replaceChildren(
      ...(colour === null
        ? []
        : [
            heading("Colour", colour),
            state.range === "layer" ? layerKey(structure, colour, state) : colourKey(colour, state),
          ]),
      ...(size === null ? [] : [heading("Size", size), sizeKey(structure, size, state)]),
      element("h3", {}, "Edges"),
      edgeKey(state),
    );
  });
}

function heading(what: string, { title, problem }: MeasureScale): HTMLElement {
  const text = problem === null ? title : `${title}: ${printable(problem)}`;
  return element("h3", {}, `${what}: `, element("span", { class: "quiet" }, text));
}

/** How many nodes have which value, in the colours of those values. */
function colourKey(scale: MeasureScale, { theme }: ViewState): HTMLElement {
  const { low, high } = shownRange(scale, scale);
  const counts = new Float64Array(bins);
  for (const value of scale.values) {
    if (value === null) continue;
    const bin = high === low ? 0 : Math.floor((bins * (value - low)) / (high - low));
    counts[Math.min(bins - 1, bin)]! += 1;
  }
  const most = Math.max(...counts);
  const step = width / bins;
  const stops = rampOf(scale, theme);
  const drawing = svgElement("svg", {
    viewBox: `0 0 ${width} ${barsHeight + 8}`,
    role: "img",
    "aria-label": `Histogram of ${scale.title} over all neurons`,
  });
  counts.forEach((count, i) => {
    // Square roots, so that a rare value can still be seen beside a common one.
    const tall = count === 0 ? 0 : Math.max(1.5, barsHeight * Math.sqrt(count / most));
    const fill = css(along(stops, (i + 0.5) / bins));
    const x = i * step;
    drawing.append(
      svgElement("rect", { x, y: barsHeight - tall, width: step - 1, height: tall, fill, rx: 1 }),
      svgElement("rect", { x, y: barsHeight + 3, width: step + 0.3, height: 5, fill }),
    );
  });
  const ends = [low, (low + high) / 2, high].map((value) => element("span", {}, short(value)));
  return element("div", { class: "key" }, drawing, element("div", { class: "ticks" }, ...ends));
}

/** A ramp for each layer with the numbers at its ends. */
function layerKey(
  structure: ViewStructure,
  scale: MeasureScale,
  { theme }: ViewState,
): HTMLElement {
  const stops = rampOf(scale, theme).map(css).join(", ");
  const rows = structure.layers.map(({ name }, layer) => {
    const { low, high } = shownRange(scale, scale.rangeOf(layer));
    const bar = element("i");
    bar.style.background = `linear-gradient(90deg, ${stops})`;
    return element(
      "li",
      {},
      element("span", { class: "name" }, printable(name)),
      element("span", {}, short(low)),
      bar,
      element("span", {}, short(high)),
    );
  });
  return element(
    "ul",
    { class: "ramps", tabindex: "0", "aria-label": "Colours by layer" },
    ...rows,
  );
}

/** Signed measures have zero in the middle of their colours. */
function shownRange({ signed }: MeasureScale, { low, high }: ValueRange): ValueRange {
  const reach = Math.max(-low, high);
  return signed ? { low: -reach, high: reach } : { low, high };
}

function sizeKey(structure: ViewStructure, scale: MeasureScale, state: ViewState): HTMLElement {
  const known = scale.values.flatMap((value, node) => (value === null ? [] : [{ value, node }]));
  known.sort((a, b) => sizeOf(scale, a.node) - sizeOf(scale, b.node));
  const picks = [0, 0.5, 1].flatMap((q) => known[Math.round(q * (known.length - 1))] ?? []);
  const fill = css(along(palettes[state.theme].sequential, 0.55));
  const items = picks.map(({ value, node }, i) => {
    const radius = 8 * sizeOf(scale, node);
    const dot = svgElement("svg", { viewBox: "0 0 20 20", width: 20, height: 20 });
    dot.append(svgElement("circle", { cx: 10, cy: 10, r: radius, fill }));
    const text = state.range === "layer" ? ends[i]! : short(value);
    return element("span", {}, dot, text);
  });
  return element("div", { class: "sizes" }, ...items);
}

function edgeKey({ epoch, theme, edgeShare }: ViewState): HTMLElement {
  const weights = epoch.edges.weight;
  const count = Math.max(1, Math.round(weights.length * edgeShare));
  const drawn = weights.slice(0, count);
  const line = (sign: "positive" | "negative", values: readonly number[]): HTMLElement => {
    const smallest = values.reduce((low, w) => Math.min(low, Math.abs(w)), Infinity);
    const largest = values.reduce((high, w) => Math.max(high, Math.abs(w)), 0);
    const text =
      values.length === 0
        ? "none"
        : `${numberText(values.length)} · |w| ${short(smallest)} – ${short(largest)}`;
    return element("li", {}, lineSample(sign, theme), `${sign} ${text}`);
  };
  return element(
    "ul",
    { class: "lines" },
    line(
      "positive",
      drawn.filter((w) => w > 0),
    ),
    line(
      "negative",
      drawn.filter((w) => w < 0),
    ),
  );
}

function lineSample(sign: "positive" | "negative", theme: Theme): SVGElement {
  const sample = svgElement("svg", { viewBox: "0 0 26 10", width: 26, height: 10 });
  const stroke = css(palettes[theme][sign]);
  sample.append(svgElement("path", { d: "M1 5H25", stroke, "stroke-width": 2.5 }));
  return sample;
}

function short(value: number): string {
  return numberText(Number(value.toPrecision(Math.abs(value) < 0.01 ? 2 : 3)));
}
