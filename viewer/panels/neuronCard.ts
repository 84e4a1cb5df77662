import type { NodeEdge, NodeEdges, ViewStructure } from "../../src/index.ts";
import { css } from "../../cli/picture/colours.ts";
import { element } from "../element.ts";
import { colourOf } from "../../cli/picture/measureScale.ts";
import { scaleOf, type ViewState } from "../state.ts";
import { locate, neuronName, numberText, printable } from "../text.ts";

export interface NeuronCardOptions {
  readonly node: number;
  /** Null while they are on their way. */
  readonly edges: NodeEdges | null;
  readonly edgesShown: number;
  /** Makes the neighbours buttons. */
  readonly onPick?: (node: number) => void;
}

/** What is known of one neuron: place, every measure with its rank in the layer, strongest edges of the whole graph. */
export function neuronCard(
  structure: ViewStructure,
  state: ViewState,
  options: NeuronCardOptions,
): readonly HTMLElement[] {
  const { layer, index } = locate(structure, options.node);
  const { name, size } = structure.layers[layer]!;
  const swatch = element("span", { class: "swatch" });
  const scale = scaleOf(structure, state, "colourBy");
  swatch.style.background = css(colourOf(scale, options.node, state.theme));
  const parts: HTMLElement[] = [
    element(
      "header",
      {},
      swatch,
      element("strong", {}, printable(name)),
      element("span", { class: "quiet" }, `neuron ${index} of ${size.toLocaleString("en-US")}`),
    ),
    measureTable(structure, state, options.node),
  ];
  const { edges } = options;
  if (edges === null) {
    parts.push(element("p", { class: "quiet" }, "reading its edges …"));
  } else {
    const list = (title: string, found: readonly NodeEdge[], count: number): void => {
      if (count > 0) parts.push(edgeList(structure, { title, found, count, ...options }));
    };
    list("Strongest in", edges.incoming, edges.incomingCount);
    list("Strongest out", edges.outgoing, edges.outgoingCount);
  }
  return parts;
}

function measureTable(structure: ViewStructure, state: ViewState, node: number): HTMLElement {
  const { offset, size } = structure.layers[locate(structure, node).layer]!;
  const table = element("dl", { class: "measures" });
  for (const { id, title, values } of state.epoch.measures) {
    const value = values[node] ?? null;
    const inLayer = values.slice(offset, offset + size);
    const rank =
      value === null ? 0 : 1 + inLayer.filter((one) => (one ?? -Infinity) > value).length;
    const row = element(
      "div",
      { "data-measure": id },
      element("dt", {}, title),
      element("dd", {}, value === null ? "not covered" : numberText(value)),
      element("dd", { class: "quiet" }, value === null || size === 1 ? "" : `#${rank}`),
    );
    table.append(row);
  }
  return table;
}

function edgeList(
  structure: ViewStructure,
  {
    title,
    found,
    count,
    edgesShown,
    onPick,
  }: NeuronCardOptions & {
    readonly title: string;
    readonly found: readonly NodeEdge[];
    readonly count: number;
  },
): HTMLElement {
  const largest = Math.abs(found[0]?.weight ?? 1);
  const items = found.slice(0, edgesShown).map(({ node, weight }) => {
    const name = nameOf(structure, node);
    const bar = element("i", { class: weight > 0 ? "positive" : "negative" });
    bar.style.width = `${((100 * Math.abs(weight)) / largest).toFixed(1)}%`;
    const text =
      onPick === undefined
        ? element("span", { class: "neuron" }, ...name)
        : element("button", { type: "button", class: "neuron link" }, ...name);
    text.addEventListener("click", () => onPick?.(node));
    return element(
      "li",
      {},
      text,
      element("span", { class: "meter" }, bar),
      element("b", {}, numberText(Number(weight.toPrecision(4)))),
    );
  });
  const heading = element(
    "h3",
    {},
    title,
    element("span", { class: "quiet" }, ` of ${count.toLocaleString("en-US")}`),
  );
  return element("section", { class: "edges" }, heading, element("ol", {}, ...items));
}

/** The parts of a neuron's name; the layer's may be cut by the page, the number never. */
export function nameOf(structure: ViewStructure, node: number): readonly HTMLElement[] {
  const { layer, index } = neuronName(structure, node);
  return [
    element("span", { class: "layer", title: layer }, layer),
    element("span", { class: "index" }, `\u00a0· ${index}`),
  ];
}
