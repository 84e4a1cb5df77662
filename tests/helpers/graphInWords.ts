/** Layers, blocks and parts of a graph as text and numbers that a table of tests can hold. */
import { connectedComponents } from "../../src/graph/components.ts";
import type { Block, LayeredGraph } from "../../src/graph/layeredGraph.ts";

/** Sender and receiver of each block's columns and rows. */
export function ends(blocks: readonly Block[]): string[] {
  return blocks.map(
    ({ name, columnNodes, rowNodes, groups, taps }) =>
      `${name} ${columnNodes.join(",")} -> ${rowNodes.join(",")}` +
      (groups > 1 ? ` in ${groups}` : "") +
      (taps > 1 ? ` x${taps}` : ""),
  );
}

export const layersOf = ({ layers }: LayeredGraph): string[] =>
  layers.map(({ name, size }) => `${name}:${size}`);
/** Nodes of each connected component. */
export const partsOf = (graph: LayeredGraph): number[] => [...connectedComponents(graph).sizes];
