import type { ViewStructure } from "../../src/index.ts";
import { element } from "../element.ts";
import type { Store } from "../state.ts";
import { nameOf } from "./neuronCard.ts";

const most = 8;

/** Finds neurons by layer name and number, `fc1 12`; a layer name alone finds the layer's top neurons by colour. */
export function searchPanel(panel: HTMLElement, structure: ViewStructure, store: Store): void {
  const input = element("input", {
    type: "search",
    id: "search-input",
    placeholder: "Find a neuron: layer 12",
    "aria-label": "Find a neuron by layer name and number",
    autocomplete: "off",
    spellcheck: "false",
  });
  const results = element("ul", { class: "results", id: "search-results" });
  panel.replaceChildren(input, results);
  const pick = (node: number): void => {
    store.set({ pinned: node });
    input.value = "";
    results.replaceChildren();
  };
  const found = (): number[] => {
    const { epoch, colourBy } = store.get();
    const values = epoch.measures.find(({ id }) => id === colourBy)?.values ?? [];
    return findNeurons(structure, values, input.value);
  };
  input.addEventListener("input", () => {
    const items = found().map((node) => {
      const button = element(
        "button",
        { type: "button", class: "neuron" },
        ...nameOf(structure, node),
      );
      button.addEventListener("click", () => pick(node));
      return element("li", {}, button);
    });
    const none = element("li", { class: "quiet" }, "no such neuron");
    results.replaceChildren(...(input.value.trim() === "" ? [] : items.length ? items : [none]));
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      input.value = "";
      results.replaceChildren();
      return;
    }
    const [first] = found();
    if (event.key === "Enter" && event.target === input && first !== undefined) pick(first);
  });
  panel.addEventListener("focusout", (event) => {
    if (!panel.contains(event.relatedTarget as Node | null)) results.replaceChildren();
  });
}

function findNeurons(
  { layers }: ViewStructure,
  values: readonly (number | null)[],
  query: string,
): number[] {
  const text = query.trim().toLowerCase();
  if (text === "") return [];
  const named = layers.filter(({ name }) => name.toLowerCase().includes(text));
  if (named.length > 0) {
    const nodes = named.flatMap(({ offset, size }) =>
      Array.from({ length: size }, (_, i) => offset + i),
    );
    return nodes.sort((a, b) => (values[b] ?? -Infinity) - (values[a] ?? -Infinity)).slice(0, most);
  }
  const [, name = "", digits = ""] = /^(.*?)[\s·:#]*(\d+)$/.exec(text) ?? [];
  const index = Number(digits);
  if (digits === "") return [];
  return layers
    .filter((layer) => layer.name.toLowerCase().includes(name) && index < layer.size)
    .slice(0, most)
    .map(({ offset }) => offset + index);
}
