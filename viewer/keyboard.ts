import type { ViewStructure } from "../src/index.ts";
import type { Store } from "./state.ts";
import { locate } from "./text.ts";

/** With the picture in focus: arrows walk from neuron to neuron and from layer to layer, Escape lets go. */
export function walkByKeys(stage: HTMLElement, structure: ViewStructure, store: Store): void {
  stage.setAttribute(
    "aria-label",
    "Picture of the graph. Arrow keys walk through neurons and layers, Escape lets go.",
  );
  stage.setAttribute("role", "application");
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") store.set({ pinned: null, hovered: null });
  });
  stage.addEventListener("keydown", (event) => {
    const { pinned } = store.get();
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    store.set({ pinned: pinned === null ? 0 : walked(structure, pinned, step) });
  });
}

const steps: Readonly<Record<string, { readonly layer: number; readonly index: number }>> = {
  ArrowLeft: { layer: -1, index: 0 },
  ArrowRight: { layer: 1, index: 0 },
  ArrowUp: { layer: 0, index: -1 },
  ArrowDown: { layer: 0, index: 1 },
};

/** Between layers of different size the relative place is kept. */
function walked(
  structure: ViewStructure,
  node: number,
  step: { readonly layer: number; readonly index: number },
): number {
  const { layers } = structure;
  const { layer, index } = locate(structure, node);
  const from = layers[layer]!;
  const to = layers[Math.min(layers.length - 1, Math.max(0, layer + step.layer))]!;
  const share = (index + 0.5) / from.size;
  const next = to === from ? index + step.index : Math.floor(share * to.size);
  return to.offset + Math.min(to.size - 1, Math.max(0, next));
}
