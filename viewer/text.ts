import type { ViewStructure } from "../src/index.ts";
import { numberText, percentText, printable } from "../cli/render.ts";

export { numberText, percentText, printable };

/** The layer of a node and its number in it. */
export function locate(
  structure: ViewStructure,
  node: number,
): { readonly layer: number; readonly index: number } {
  const layer = structure.layers.findIndex(({ offset, size }) => node < offset + size);
  return { layer, index: node - structure.layers[layer]!.offset };
}

/** `fc1` and `12`: apart, so that a long name can be cut without losing the number. */
export function neuronName(
  structure: ViewStructure,
  node: number,
): { readonly layer: string; readonly index: string } {
  const { layer, index } = locate(structure, node);
  return { layer: printable(structure.layers[layer]!.name), index: String(index) };
}
