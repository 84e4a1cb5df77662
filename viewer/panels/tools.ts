import type { Drawing } from "../drawing.ts";
import { element } from "../element.ts";
import type { Store } from "../state.ts";

/** Zoom and theme. */
export function toolsPanel(panel: HTMLElement, store: Store, drawing: Drawing): void {
  const button = (text: string, title: string, run: () => void): HTMLElement => {
    const made = element("button", { type: "button", title, "aria-label": title }, text);
    made.addEventListener("click", run);
    return made;
  };
  const theme = button("", "Light or dark", () => {
    store.set({ theme: store.get().theme === "dark" ? "light" : "dark" });
  });
  store.follow(["theme"], (state) => {
    document.documentElement.dataset["theme"] = state.theme;
    theme.textContent = state.theme === "dark" ? "☀" : "☾";
  });
  panel.replaceChildren(
    button("+", "Zoom in", () => drawing.zoom("in")),
    button("−", "Zoom out", () => drawing.zoom("out")),
    button("⤢", "Show all", () => drawing.zoom("all")),
    theme,
  );
}
