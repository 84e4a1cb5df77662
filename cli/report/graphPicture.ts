import type { ViewEdges, ViewEpoch, ViewStructure } from "../../src/index.ts";
import { css, palettes, type Theme } from "../picture/colours.ts";
import { edgeStyles } from "../picture/edgeStyle.ts";
import { colourOf, measureScale, sizeOf } from "../picture/measureScale.ts";
import { markup, raw, type Markup } from "./markup.ts";

export interface GraphPictureOptions {
  /** Measure that colours and sizes the nodes. */
  readonly measure: string;
  /** @defaultValue "dark" */
  readonly theme?: Theme;
}

/** In units of the text, which keeps its size on the page however wide the graph is. */
const margin = { top: 64, side: 44, bottom: 30 };
const widthOfUnit = 1700;

/** The layered graph as a static `svg`, in the places and colours of the viewer. Lines and dots of one style share a path. */
export function graphPicture(
  structure: ViewStructure,
  epoch: ViewEpoch,
  { measure, theme = "dark" }: GraphPictureOptions,
): Markup {
  const { width, height } = structure;
  const unit = Math.max(1, width / widthOfUnit);
  const [top, side, bottom] = [margin.top * unit, margin.side * unit, margin.bottom * unit];
  const box = [-side, -top, width + 2 * side, height + top + bottom].map(Math.round).join(" ");
  const title = `Layered graph of ${structure.name}`;
  return markup`<svg xmlns="http://www.w3.org/2000/svg" class="graph" viewBox="${box}" role="img"><title>${title}</title>
${edgePaths(structure, epoch.edges, theme)}
${nodePaths(structure, epoch, { measure, theme })}
${layerNames(structure, theme, unit)}</svg>`;
}

/** Paths that share their attributes become one. Keeps the order in which attributes first appear. */
function merged(parts: Iterable<readonly [attributes: string, path: string]>): Markup {
  const paths = new Map<string, string[]>();
  for (const [attributes, path] of parts) {
    const found = paths.get(attributes);
    if (found === undefined) paths.set(attributes, [path]);
    else found.push(path);
  }
  return raw([...paths].map(([key, d]) => `<path ${key} d="${d.join("")}"/>`).join("\n"));
}

function edgePaths({ nodes }: ViewStructure, edges: ViewEdges, theme: Theme): Markup {
  const { from, to, weight, shown } = edges;
  const styleOf = edgeStyles(edges, shown);
  const at = (node: number): string => `${nodes.x[node]!.toFixed(1)} ${nodes.y[node]!.toFixed(1)}`;
  const parts = weight.map((w, i) => {
    const { alpha } = styleOf(i);
    const colour = css(palettes[theme][w > 0 ? "positive" : "negative"]);
    const attributes = `stroke="${colour}" stroke-opacity="${alpha.toFixed(2)}" stroke-width="${(0.5 + 2 * alpha).toFixed(1)}" fill="none"`;
    return { alpha, part: [attributes, `M${at(from[i]!)}L${at(to[i]!)}`] as const };
  });
  parts.sort((a, b) => a.alpha - b.alpha);
  return merged(parts.map(({ part }) => part));
}

function nodePaths(
  structure: ViewStructure,
  epoch: ViewEpoch,
  { measure, theme }: Required<GraphPictureOptions>,
): Markup {
  const scale = measureScale(structure, epoch, { id: measure, range: "layer" });
  const { x, y, radius } = structure.nodes;
  return merged(
    x.map((left, node) => {
      const size = 2 * radius[node]! * sizeOf(scale, node);
      const stroke = css(colourOf(scale, node, theme));
      // A line of no length with round ends is a dot.
      const attributes = `stroke="${stroke}" stroke-width="${size.toFixed(0)}" stroke-linecap="round"`;
      return [attributes, `M${left.toFixed(1)} ${y[node]!.toFixed(1)}h0`] as const;
    }),
  );
}

/** Names and sizes above the columns; those that would overlap the one before are left out. */
function layerNames({ layers }: ViewStructure, theme: Theme, unit: number): Markup {
  const letter = 12 * unit;
  const fill = theme === "dark" ? "#e7eaf0" : "#1a2130";
  let free = -Infinity;
  const names = layers.flatMap(({ name, size, left, right, top }) => {
    const text = name.length > 24 ? `${name.slice(0, 23)}…` : name;
    const centre = (left + right) / 2;
    const half = (letter * Math.max(4, text.length)) / 2;
    if (centre - half < free) return [];
    free = centre + half;
    const line = markup`<text x="${centre.toFixed(1)}" y="${(top - 34 * unit).toFixed(1)}" font-weight="600">${text}</text>
<text x="${centre.toFixed(1)}" y="${(top - 12 * unit).toFixed(1)}" opacity="0.65" font-size="${(17 * unit).toFixed(1)}">${size.toLocaleString("en-US")}</text>`;
    return [line];
  });
  return markup`<g fill="${fill}" text-anchor="middle" font-family="system-ui, sans-serif" font-size="${(20 * unit).toFixed(1)}">${names}</g>`;
}
