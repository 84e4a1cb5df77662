import { summarise, type ViewEpoch, type ViewStructure } from "../../src/index.ts";
import { numberText, percentText, type Cell } from "../render.ts";
import type { ReportData, TrainingData } from "./collectReport.ts";
import { epochsPlot } from "./epochsPlot.ts";
import { graphPicture } from "./graphPicture.ts";
import { mostStrokes, strengthPlot, weightPlots } from "./layerPlots.ts";
import { markup, raw, type Markup } from "./markup.ts";

const layerColumns =
  "name,op,kind,shape,dtype,weights,non-zero,min,max,L2 norm,mean strength,sd of strength".split(
    ",",
  );

/** Rows of the longest tables and plots; what is left out is said. */
const mostRows = 24;
const topNeurons = 5;

export function graphSection({ structure, view }: ReportData): Markup {
  const { shown, total, share } = view.edges;
  const measure = view.measures.find(({ problem }) => problem === null) ?? view.measures[0];
  return markup`<section class="wide"><figure class="stage">${graphPicture(structure, view, { measure: measure?.id ?? "" })}
<figcaption>Showing ${numberText(shown)} of ${numberText(total)} edges, ${percentText(share)} of |w|.
<span class="positive">Blue</span> weights are positive, <span class="negative">orange</span> negative;
dots are neurons, by ${measure?.title.toLowerCase() ?? "layer"}, each layer on its own scale.</figcaption></figure></section>`;
}

export function factsSection({ model, structure, coverage, layers }: ReportData): Markup {
  const fact = (title: string, value: Cell): Markup =>
    markup`<div><dt>${title}</dt><dd>${textOf(value)}</dd></div>`;
  return markup`<dl class="facts">${[
    fact("format", model.format),
    ...(model.producer === null ? [] : [fact("written by", model.producer)]),
    fact("neurons", structure.nodeCount),
    fact("weight layers", layers.length),
    fact("weights", coverage.weights),
    fact("edges", structure.edgeCount),
    fact("explained parameters", percentText(coverage.share)),
    fact("layer order", structure.certainty),
  ]}</dl>`;
}

export function trainingSection({ name, records, metrics }: TrainingData): Markup {
  const names = [...new Set(metrics.flatMap((one) => Object.keys(one.metrics)))];
  const rows = metrics.map(({ epoch, metrics: own }) => {
    const meanOf = (measure: string): Cell =>
      records.find((record) => record.epoch === epoch && record.measure === measure)?.mean;
    return [
      String(epoch),
      ...names.map((metric) => own[metric]),
      meanOf("degree"),
      meanOf("eigenvector"),
    ];
  });
  return markup`<section><h2>Training</h2>
<p>${name}: ${metrics.length} epochs. Each panel follows one number of the distribution of weighted degree or eigenvector
centrality over all neurons, and below them what training logged.</p>
<figure>${raw(epochsPlot(records, metrics))}</figure>
${table(["epoch", ...names, "mean degree", "mean centrality"], rows)}</section>`;
}

export function weightsSection({ histograms, layers, structure, view }: ReportData): Markup {
  const part =
    histograms.length < layers.length
      ? `the ${histograms.length} largest of ${layers.length} weight layers`
      : "each weight layer";
  return markup`<section><h2>Weights</h2>
<p>Weights of ${part}, as shares of the layer.</p>
<figure>${raw(weightPlots(histograms))}</figure>
${strengthFigure(structure, view)}</section>`;
}

function strengthFigure({ layers }: ViewStructure, { measures }: ViewEpoch): Markup {
  const strength = measures.find(({ id }) => id === "strength");
  if (strength === undefined || strength.problem !== null) return markup``;
  const shown = layers.slice(0, mostRows).map(({ name, offset, size }) => ({
    name,
    values: strength.values.slice(offset, offset + size).filter((value) => value !== null),
  }));
  const first = shown.length < layers.length ? `, the first ${shown.length} layers` : "";
  return markup`<h3>${strength.title}</h3>
<p>Signed sum of the weights at each neuron${first}: a stroke per neuron in layers of up to ${numberText(mostStrokes)}, a box from
the lower to the upper quartile.</p>
<figure>${raw(strengthPlot(shown))}</figure>`;
}

export function measuresSection({ structure, view }: ReportData): Markup {
  const nameOf = (node: number): Markup => {
    const { name, offset } = structure.layers.find((layer) => node < layer.offset + layer.size)!;
    return markup`<span title="${name}">${name}</span><i>${node - offset}</i>`;
  };
  const cards = view.measures.map(({ title, values, problem }) => {
    if (problem !== null) return markup`<article><h3>${title}</h3><p>${problem}</p></article>`;
    const covered = values.flatMap((value, node) => (value === null ? [] : [{ value, node }]));
    const { mean, median, std, skewness, kurtosis } = summarise(
      Float64Array.from(covered, ({ value }) => value),
    );
    covered.sort((a, b) => b.value - a.value || a.node - b.node);
    const largest = Math.abs(covered[0]?.value ?? 1) || 1;
    const items = covered.slice(0, topNeurons).map(({ value, node }) => {
      const share = Math.max(0, Math.min(1, value / largest));
      return markup`<li>${nameOf(node)}<meter value="${share}">${share}</meter><b>${numberText(value)}</b></li>`;
    });
    return markup`<article><h3>${title}</h3><ol>${items}</ol>
<p class="quiet">mean ${numberText(mean)}, median ${numberText(median)}, sd ${numberText(std)}, skewness ${numberText(skewness)},
excess kurtosis ${numberText(kurtosis)}, over ${numberText(covered.length)} neurons</p></article>`;
  });
  return markup`<section><h2>Measures</h2><p>The ${topNeurons} neurons of highest value by each measure.</p>
<div class="cards">${cards}</div></section>`;
}

export function layersSection({ layers, coverage }: ReportData): Markup {
  const rows = layers.map((layer) => [
    layer.name,
    layer.op,
    layer.kind,
    layer.shape.join(" × "),
    layer.quantisation ?? layer.dtype,
    layer.numel,
    layer.nonzero,
    layer.min,
    layer.max,
    layer.l2,
    layer.outStrength?.mean,
    layer.outStrength?.std,
  ]);
  const counts = [
    ["weights", coverage.weights],
    ["biases", coverage.biases],
    ["normalisation", coverage.normalisation],
    ["explained", coverage.explained],
    ["all parameters", coverage.parameters],
  ] as const;
  return markup`<section><h2>Layers</h2>${table(layerColumns, rows)}
<h3>Coverage</h3>${table(["what", "elements"], counts)}
${unexplained(coverage)}</section>`;
}

function unexplained({ unexplained: left }: ReportData["coverage"]): Markup {
  if (left.length === 0) return markup`<p>Every parameter of the file is explained.</p>`;
  const shown = left.slice(0, mostRows);
  const items = shown.map(({ name, shape }) => markup`<li>${name} [${shape.join(", ")}]</li>`);
  return markup`<p>${left.length} tensors that nothing explains, the largest ${shown.length}:</p><ul>${items}</ul>`;
}

export function warningsSection({ model, training }: ReportData): Markup {
  const warnings = [...model.warnings, ...(training?.warnings ?? [])];
  if (warnings.length === 0) return markup``;
  const items = warnings.map(
    ({ code, message }) => markup`<li><code>${code}</code> ${message}</li>`,
  );
  return markup`<section><h2>Warnings</h2><ul>${items}</ul></section>`;
}

function table(head: readonly string[], rows: readonly (readonly Cell[])[]): Markup {
  const cell = (value: Cell): Markup =>
    typeof value === "number"
      ? markup`<td class="number">${textOf(value)}</td>`
      : markup`<td>${textOf(value)}</td>`;
  return markup`<div class="table"><table><thead><tr>${head.map((text) => markup`<th>${text}</th>`)}</tr></thead>
<tbody>${rows.map((row) => markup`<tr>${row.map(cell)}</tr>`)}</tbody></table></div>`;
}

function textOf(value: Cell): string {
  if (value === null || value === undefined) return "–";
  return typeof value === "number" ? numberText(value) : value;
}
