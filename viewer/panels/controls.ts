import { element } from "../element.ts";
import type { Store, ViewState } from "../state.ts";
import { numberText } from "../text.ts";

interface Choice {
  readonly value: string;
  readonly text: string;
}

/** What is drawn, and how: measures for colour and size, signs, how many edges. */
export function controlsPanel(form: HTMLElement, store: Store): void {
  const { epoch } = store.get();
  const measures = epoch.measures.map(({ id, title }) => ({ value: id, text: title }));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.replaceChildren(
    select(store, "colourBy", "Colour by", measures),
    select(store, "sizeBy", "Size by", [...measures, { value: "", text: "equal" }]),
    select(store, "range", "Scale of", [
      { value: "graph", text: "whole graph" },
      { value: "layer", text: "each layer" },
    ]),
    element(
      "fieldset",
      {},
      element("legend", {}, "Edges"),
      check(store, "positive", "positive"),
      check(store, "negative", "negative"),
    ),
    edgeSlider(store),
  );
}

function select(
  store: Store,
  key: "colourBy" | "sizeBy" | "range",
  title: string,
  choices: readonly Choice[],
): HTMLElement {
  const box = element("select", { id: `control-${key}` });
  for (const { value, text } of choices) box.append(element("option", { value }, text));
  box.addEventListener("change", () => store.set({ [key]: box.value }));
  store.follow([key], (state) => (box.value = state[key]));
  return element("label", { class: "row" }, element("span", {}, title), box);
}

function check(store: Store, key: "positive" | "negative", title: string): HTMLElement {
  const box = element("input", { type: "checkbox", id: `control-${key}` });
  box.addEventListener("change", () => store.set({ [key]: box.checked }));
  store.follow([key], (state) => (box.checked = state[key]));
  return element("label", { class: `sign ${key}` }, box, element("span", {}, title));
}

/** Steps evenly in the logarithm, since the strongest few edges say the most. */
function edgeSlider(store: Store): HTMLElement {
  const steps = 100;
  const slider = element("input", {
    type: "range",
    id: "control-edges",
    min: "0",
    max: String(steps),
    step: "1",
  });
  const inHand = (state: ViewState): number => Math.max(1, state.epoch.edges.shown);
  slider.addEventListener("input", () => {
    const state = store.get();
    store.set({ edgeShare: inHand(state) ** (Number(slider.value) / steps - 1) });
  });
  const output = element("output", { for: "control-edges" });
  store.follow(["edgeShare", "epoch"], (state) => {
    const most = inHand(state);
    const count = Math.max(1, Math.round(most * state.edgeShare));
    const place = most === 1 ? 1 : Math.log(count) / Math.log(most);
    slider.value = String(Math.round(steps * place));
    slider.setAttribute("aria-valuetext", `${numberText(count)} strongest edges`);
    output.value = numberText(count);
  });
  const title = element("span", {}, "Strongest edges ", output);
  return element("label", { class: "row tall" }, title, slider);
}
