/**
 * How a weight layer reads the neurons before it: as they are, with positions behind each of them (a flatten), or in groups.
 */
import { splitAxis, type WeightLayout } from "../tensor/layout.ts";
import type { WeightKind } from "./model.ts";

/** Order of the elements of a flattened activation. */
export type FlatOrder = "positions first" | "channels first";

/** What is read. */
export interface Senders {
  /** Their number, or null where nothing says it yet. */
  readonly channels: number | null;
  /** How positions and channels lie in one axis; null while channels have an axis of their own. */
  readonly flat: FlatOrder | null;
  /** Which kernels with fewer inputs than there are channels are taken for grouped ones. */
  readonly grouped: "any" | "depthwise";
}

/** The layout with which a layer of `kind` reads the senders, or null where they do not fit. */
export function readingLayout(
  layout: WeightLayout,
  kind: WeightKind,
  { channels, flat, grouped }: Senders,
): WeightLayout | null {
  const senders = layout.groups * layout.inPerGroup;
  if (channels === null || channels === senders) return layout;
  if (channels === 0 || senders === 0) return null;
  if (flat !== null && senders % channels === 0) return splitSenders(layout, channels, flat);
  const groups = channels / senders;
  const mayGroup = layout.groups === 1 && (grouped === "any" || senders === 1);
  const isConvolution = kind === "conv" || kind === "torch_conv";
  if (!isConvolution || !mayGroup || !Number.isInteger(groups)) return null;
  if (layout.outPerGroup % groups !== 0) return null;
  const parts = [
    [groups, "group"],
    [layout.outPerGroup / groups, "out"],
  ] as const;
  return splitAxis(layout, layout.roles.indexOf("out"), parts);
}

function splitSenders(layout: WeightLayout, channels: number, order: FlatOrder): WeightLayout {
  const channel = [channels, "in"] as const;
  const position = [(layout.groups * layout.inPerGroup) / channels, "tap"] as const;
  const parts =
    order === "channels first" ? ([channel, position] as const) : ([position, channel] as const);
  return splitAxis(layout, layout.roles.indexOf("in"), parts);
}

/** The gates of a recurrent unit are taps. */
export function gatesAsTaps(layout: WeightLayout, units: number): WeightLayout {
  const gates = [
    [layout.outPerGroup / units, "tap"],
    [units, "out"],
  ] as const;
  return splitAxis(layout, layout.roles.indexOf("out"), gates);
}
