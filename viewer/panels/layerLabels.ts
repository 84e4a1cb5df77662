import type { ViewStructure } from "../../src/index.ts";
import type { Drawing } from "../drawing.ts";
import { element } from "../element.ts";
import { printable } from "../text.ts";

/** Names and sizes above the columns; returns what moves them along. Labels that would overlap are left out. */
export function layerLabels(
  panel: HTMLElement,
  { layers }: ViewStructure,
): (drawing: Drawing) => void {
  const labels = layers.map(({ name, size }) =>
    element(
      "div",
      {},
      element("strong", {}, printable(name)),
      element("span", {}, size.toLocaleString("en-US")),
    ),
  );
  panel.replaceChildren(...labels);
  return (drawing) => {
    let free = -Infinity;
    labels.forEach((label, i) => {
      const { left, right, top } = layers[i]!;
      const place = drawing.placeAt((left + right) / 2, top);
      const half = label.offsetWidth / 2;
      const fits = place.x - half > free;
      label.style.visibility = fits ? "visible" : "hidden";
      label.style.transform = `translate(${place.x - half}px, ${Math.max(4, place.y - 44)}px)`;
      if (fits) free = place.x + half + 6;
    });
  };
}
