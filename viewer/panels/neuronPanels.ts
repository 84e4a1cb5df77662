import type { NodeEdges, ViewStructure } from "../../src/index.ts";
import type { DataSource } from "../dataSource.ts";
import type { Drawing } from "../drawing.ts";
import { byId, element } from "../element.ts";
import type { Store } from "../state.ts";
import { printable } from "../text.ts";
import { neuronCard } from "./neuronCard.ts";

/** The floating card of the neuron under the pointer and the fixed one of the pinned neuron. Returns what moves the marker. */
export function neuronPanels(
  structure: ViewStructure,
  { store, source, drawing }: { store: Store; source: DataSource; drawing: Drawing },
): () => void {
  const floating = byId("hover");
  const fixed = byId("neuron");
  const marker = byId("marker");

  const fill = async (panel: HTMLElement, which: "hovered" | "pinned"): Promise<void> => {
    const { epoch, [which]: node } = store.get();
    if (node === null) return;
    const show = (edges: NodeEdges | null): void =>
      panel.replaceChildren(
        ...neuronCard(structure, store.get(), {
          node,
          edges,
          edgesShown: which === "hovered" ? 3 : 8,
          ...(which === "pinned" && { onPick: (pinned) => store.set({ pinned }) }),
        }),
      );
    show(null);
    try {
      const edges = await source.edgesOf(epoch.index, node);
      const now = store.get();
      if (now[which] !== node || now.epoch.index !== epoch.index) return;
      show(edges);
      if (which === "pinned") panel.scrollIntoView({ block: "nearest" });
    } catch (error) {
      panel.append(element("p", { class: "quiet" }, printable(String(error))));
    }
  };

  const place = (): void => {
    const { hovered, pinned } = store.get();
    const marked = hovered ?? pinned;
    marker.hidden = marked === null;
    if (marked === null) return;
    const { x, y, radius } = drawing.placeOf(marked);
    const reach = Math.max(5, radius + 3);
    marker.style.transform = `translate(${x - reach}px, ${y - reach}px)`;
    marker.style.width = marker.style.height = `${2 * reach}px`;
    if (hovered === null) return;
    const stage = floating.offsetParent ?? document.body;
    const right = x + reach + 12 + floating.offsetWidth <= stage.clientWidth;
    const left = right ? x + reach + 12 : x - reach - 12 - floating.offsetWidth;
    const top = Math.min(y - 30, stage.clientHeight - floating.offsetHeight - 8);
    floating.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
  };

  store.follow(["hovered", "epoch", "colourBy", "theme"], (state) => {
    floating.hidden = state.hovered === null || state.hovered === state.pinned;
    void fill(floating, "hovered");
    place();
  });
  store.follow(["pinned", "epoch", "colourBy", "theme"], (state) => {
    void fill(fixed, "pinned");
    if (state.pinned === null) {
      const hint = "Point at a neuron to read it; click to keep it here and light its edges.";
      fixed.replaceChildren(element("p", { class: "quiet" }, hint));
    }
    place();
  });
  new ResizeObserver(place).observe(floating);
  return place;
}
