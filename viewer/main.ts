/** The page: asks the server for the structure, draws it, and keeps panels and picture in step with the state. */
import type { ViewEpoch, ViewStructure } from "../src/index.ts";
import { palettes } from "../cli/picture/colours.ts";
import { dataSource, type DataSource } from "./dataSource.ts";
import { createDrawing, type Drawing, type PaintedEdges } from "./drawing.ts";
import { byId, element } from "./element.ts";
import { walkByKeys } from "./keyboard.ts";
import { colourOf, sizeOf } from "../cli/picture/measureScale.ts";
import { controlsPanel } from "./panels/controls.ts";
import { layerLabels } from "./panels/layerLabels.ts";
import { legendPanel } from "./panels/legend.ts";
import { neuronPanels } from "./panels/neuronPanels.ts";
import { searchPanel } from "./panels/search.ts";
import { timelinePanel } from "./panels/timeline.ts";
import { toolsPanel } from "./panels/tools.ts";
import { createStore, scaleOf, type Store } from "./state.ts";
import { numberText, percentText, printable } from "./text.ts";

async function start(): Promise<void> {
  const source = dataSource();
  const structure = await source.structure();
  const last = structure.epochs.length - 1;
  const epoch = await source.epoch(last);
  const ids = epoch.measures.map(({ id }) => id);
  const store = createStore({
    theme: matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark",
    wanted: last,
    epoch,
    colourBy: ids[0] ?? "",
    sizeBy: ids[0] ?? "",
    range: "layer",
    positive: true,
    negative: true,
    edgeShare: 1,
    hovered: null,
    pinned: null,
    playing: false,
  });
  describe(structure);
  controlsPanel(byId("controls"), store);
  legendPanel(byId("legend"), structure, store);
  timelinePanel(byId("timeline"), structure, store);
  searchPanel(byId("search"), structure, store);
  fetchWanted(store, source);
  picture(structure, store, source);
}

function describe(structure: ViewStructure): void {
  const { name, nodeCount, edgeCount, layers, certainty, warnings } = structure;
  document.title = `${printable(name)} · weightgraph`;
  const facts = `${numberText(nodeCount)} neurons in ${layers.length} layers, ${numberText(edgeCount)} edges`;
  const line = byId("model");
  line.replaceChildren(
    element("strong", {}, printable(name)),
    element("span", { class: "quiet" }, facts),
  );
  if (certainty === "inferred") {
    line.append(element("span", { class: "chip" }, "layers joined by name and shape"));
  }
  if (warnings.length > 0) {
    const title = warnings.map(({ message }) => printable(message)).join("\n");
    const text = warnings.length === 1 ? "1 warning" : `${warnings.length} warnings`;
    line.append(element("span", { class: "chip", title, tabindex: "0" }, text));
  }
}

/** Brings the epoch that is asked for; of several askings the latest wins. */
function fetchWanted(store: Store, source: DataSource): void {
  const bring = async (wanted: number): Promise<void> => {
    const epoch = await source.epoch(wanted);
    if (store.get().wanted !== wanted) return;
    byId("problem").hidden = true;
    store.set({ epoch });
  };
  store.follow(["wanted", "epoch"], ({ wanted, epoch }) => {
    byId("shown").classList.toggle("waiting", epoch.index !== wanted);
  });
  store.follow(["wanted"], ({ wanted, epoch }) => {
    if (epoch.index === wanted) return;
    bring(wanted).catch(report);
  });
}

function picture(structure: ViewStructure, store: Store, source: DataSource): void {
  const stage = byId("graph");
  const moveLabels = layerLabels(byId("labels"), structure);
  let movePanels = (): void => undefined;
  let drawn = "";
  const drawing: Drawing = createDrawing(stage, structure, {
    enter: (hovered) => store.set({ hovered }),
    leave: () => store.set({ hovered: null }),
    click: (node) => store.set({ pinned: node === store.get().pinned ? null : node }),
    render: () => {
      if (drawn === "") return;
      moveLabels(drawing);
      movePanels();
      // Which epoch the pixels show: for tests, and for whoever automates the page.
      document.documentElement.dataset["drawn"] = drawn;
    },
  });
  toolsPanel(byId("tools"), store, drawing);
  walkByKeys(stage, structure, store);
  store.follow(["epoch", "colourBy", "sizeBy", "range", "theme"], (state) => {
    const colour = scaleOf(structure, state, "colourBy");
    const size = scaleOf(structure, state, "sizeBy");
    drawing.paintNodes(
      (node) => colourOf(colour, node, state.theme),
      (node) => sizeOf(size, node),
    );
  });
  store.follow(["epoch", "positive", "negative", "edgeShare", "theme"], (state) => {
    const { edges, index } = state.epoch;
    drawn = String(index);
    const painted = drawing.paintEdges({
      edges,
      count: Math.max(1, Math.round(edges.shown * state.edgeShare)),
      shows: (weight) => (weight > 0 ? state.positive : state.negative),
      positive: palettes[state.theme].positive,
      negative: palettes[state.theme].negative,
    });
    byId("shown").textContent = shownText(edges, painted);
  });
  store.follow(
    ["pinned", "hovered", "epoch", "edgeShare", "positive", "negative", "theme"],
    (state) => drawing.focus(state.hovered ?? state.pinned, palettes[state.theme].absent),
  );
  movePanels = neuronPanels(structure, { store, source, drawing });
}

/** "Showing 20,000 of 1,234,567 edges, 41 % of |w|": of the edges that the settings let through. */
function shownText({ weight, share, total }: ViewEpoch["edges"], painted: PaintedEdges): string {
  const inHand = weight.reduce((sum, w) => sum + Math.abs(w), 0);
  const drawn = inHand === 0 ? share : (share * painted.absoluteSum) / inHand;
  return `Showing ${numberText(painted.count)} of ${numberText(total)} edges, ${percentText(drawn)} of |w|`;
}

function report(error: unknown): void {
  const problem = byId("problem");
  problem.hidden = false;
  problem.textContent = printable(error instanceof Error ? error.message : String(error));
}

start().catch(report);
