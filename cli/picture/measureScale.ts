import type { ViewEpoch, ViewStructure } from "../../src/index.ts";
import { along, palettes, type Rgb, type Theme } from "./colours.ts";

export interface ValueRange {
  readonly low: number;
  readonly high: number;
}

export interface ScaleChoice {
  /** Of the measure. */
  readonly id: string;
  /** What the colours span: all values of the graph, or those of each layer by itself. */
  readonly range: "graph" | "layer";
}

/** How the values of one measure become colours and sizes. */
export interface MeasureScale extends ValueRange {
  readonly title: string;
  readonly problem: string | null;
  readonly values: readonly (number | null)[];
  /** True when zero lies inside the range: colours then part at zero. */
  readonly signed: boolean;
  /** What the colours of a layer span: its own values or those of the graph. */
  rangeOf(layer: number): ValueRange;
  /** Place of a node's value in its range, 0..1; null where the measure has no value. */
  place(node: number): number | null;
}

/** The scale of a measure in one epoch; null when the epoch has none of this name. Cost: O(nodes). */
export function measureScale(
  structure: ViewStructure,
  epoch: ViewEpoch,
  { id, range }: ScaleChoice,
): MeasureScale | null {
  const measure = epoch.measures.find((one) => one.id === id);
  if (measure === undefined) return null;
  const { title, problem, values } = measure;
  const whole = extentOf(values, 0, values.length);
  const signed = whole.low < 0 && whole.high > 0;
  const ranges = structure.layers.map(({ offset, size }) =>
    range === "layer" ? extentOf(values, offset, offset + size) : whole,
  );
  const layerOf = new Uint16Array(structure.nodeCount);
  structure.layers.forEach(({ offset, size }, i) => layerOf.fill(i, offset, offset + size));
  return {
    title,
    problem,
    values,
    ...whole,
    signed,
    rangeOf: (layer) => ranges[layer]!,
    place(node) {
      const value = values[node] ?? null;
      if (value === null) return null;
      const { low, high } = ranges[layerOf[node]!]!;
      if (signed) {
        const reach = Math.max(-low, high);
        return reach === 0 ? 0.5 : 0.5 + value / (2 * reach);
      }
      return high === low ? 0.5 : (value - low) / (high - low);
    },
  };
}

/** Stops of the ramp that fits the scale. */
export function rampOf(scale: MeasureScale, theme: Theme): readonly Rgb[] {
  return scale.signed ? palettes[theme].diverging : palettes[theme].sequential;
}

export function colourOf(scale: MeasureScale | null, node: number, theme: Theme): Rgb {
  const place = scale?.place(node) ?? null;
  return scale === null || place === null
    ? palettes[theme].absent
    : along(rampOf(scale, theme), place);
}

/** Share of the largest radius: by magnitude for signed measures, so that strong of either sign is large. */
export function sizeOf(scale: MeasureScale | null, node: number): number {
  const place = scale?.place(node) ?? null;
  if (scale === null) return 0.8;
  if (place === null) return 0.35;
  return 0.35 + 0.65 * (scale.signed ? Math.abs(2 * place - 1) : place);
}

function extentOf(values: readonly (number | null)[], from: number, to: number): ValueRange {
  let low = Infinity;
  let high = -Infinity;
  for (let i = from; i < to; i++) {
    const value = values[i] ?? null;
    if (value === null) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low > high ? { low: 0, high: 0 } : { low, high };
}
