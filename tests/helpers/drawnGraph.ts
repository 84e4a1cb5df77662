import type { LayeredGraph } from "../../src/index.ts";

/** Layers as "name:size", wires as "layer: from -> to" with the first and last node of each side. */
export function drawn({ layers, blocks }: LayeredGraph): { layers: string[]; wires: string[] } {
  const span = (nodes: Int32Array): string => `${nodes[0]}..${nodes.at(-1)}`;
  return {
    layers: layers.map(({ name, size }) => `${name}:${size}`),
    wires: blocks.map(
      ({ name, taps, columnNodes, rowNodes }) =>
        `${name} ${span(columnNodes)} -> ${span(rowNodes)}${taps > 1 ? ` x${taps}` : ""}`,
    ),
  };
}
