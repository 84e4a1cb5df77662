import type { ViewEpochLabel, ViewStructure } from "../../src/index.ts";
import { element, svgElement } from "../element.ts";
import type { Store, ViewState } from "../state.ts";
import { numberText, printable } from "../text.ts";

const stepMs = 900;

/** Play button, slider, and the metrics of each epoch. Stays hidden for a model on its own. */
export function timelinePanel(panel: HTMLElement, { epochs }: ViewStructure, store: Store): void {
  if (epochs.length < 2) return;
  panel.hidden = false;
  const last = epochs.length - 1;
  const button = element("button", { type: "button", id: "play", class: "play" });
  const slider = element("input", {
    type: "range",
    id: "epoch",
    min: "0",
    max: String(last),
    step: "1",
    "aria-label": "Epoch",
  });
  const label = element("output", { for: "epoch", id: "epoch-label" });
  const marks = element("div", { class: "marks", "aria-hidden": "true" });
  for (const { epoch } of epochs) marks.append(element("span", {}, String(epoch ?? "")));
  if (epochs.length > 26) marks.hidden = true;
  const metrics = element("dl", { class: "metrics" });
  panel.replaceChildren(button, label, element("div", { class: "track" }, slider, marks), metrics);

  slider.addEventListener("input", () =>
    store.set({ wanted: Number(slider.value), playing: false }),
  );
  button.addEventListener("click", () => {
    const { playing, wanted } = store.get();
    store.set({ playing: !playing, ...(!playing && wanted === last && { wanted: 0 }) });
  });
  store.follow(["playing"], ({ playing }) => {
    button.textContent = playing ? "❚❚" : "▶";
    button.setAttribute("aria-label", playing ? "Pause" : "Play the epochs");
  });
  store.follow(["wanted"], ({ wanted }) => {
    const { epoch, name } = epochs[wanted]!;
    slider.value = String(wanted);
    slider.setAttribute("aria-valuetext", `epoch ${epoch ?? wanted}`);
    label.textContent = `epoch ${epoch ?? wanted}`;
    label.title = printable(name);
    metrics.replaceChildren(...metricCells(epochs, wanted));
  });
  playThrough(store, last);
}

/** The next epoch is asked for a while after the last one was drawn, so that slow reading slows the play and no more. */
function playThrough(store: Store, last: number): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  store.follow(["playing", "epoch"], ({ playing, epoch, wanted }: ViewState) => {
    clearTimeout(timer);
    if (!playing || epoch.index !== wanted) return;
    if (wanted === last) {
      store.set({ playing: false });
      return;
    }
    timer = setTimeout(() => store.set({ wanted: wanted + 1 }), stepMs);
  });
}

function metricCells(epochs: readonly ViewEpochLabel[], now: number): HTMLElement[] {
  const names = [...new Set(epochs.flatMap(({ metrics }) => Object.keys(metrics)))];
  return names.slice(0, 4).map((name) => {
    const values = epochs.map(({ metrics }) => metrics[name] ?? null);
    const value = values[now] ?? null;
    return element(
      "div",
      {},
      element("dt", {}, printable(name)),
      element("dd", {}, value === null ? "–" : numberText(value)),
      sparkline(values, now),
    );
  });
}

function sparkline(values: readonly (number | null)[], now: number): SVGElement {
  const [width, height] = [96, 26];
  const known = values.filter((value) => value !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const x = (i: number): number => 3 + ((width - 6) * i) / (values.length - 1);
  const y = (value: number): number =>
    high === low ? height / 2 : 3 + ((height - 6) * (high - value)) / (high - low);
  const points = values.flatMap((value, i) => (value === null ? [] : [`${x(i)},${y(value)}`]));
  const drawing = svgElement("svg", { viewBox: `0 0 ${width} ${height}`, width, height });
  drawing.setAttribute("aria-hidden", "true");
  drawing.append(svgElement("polyline", { points: points.join(" ") }));
  const value = values[now] ?? null;
  if (value !== null) drawing.append(svgElement("circle", { cx: x(now), cy: y(value), r: 3 }));
  return drawing;
}
