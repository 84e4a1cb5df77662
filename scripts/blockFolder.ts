/**
 * A layered graph as a folder that any language can read: `graph.json` and one little-endian file of weights per block, taps and
 * all. What other tools make of it stays their own affair.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Block, LayeredGraph } from "../src/index.ts";

interface StoredBlock extends Omit<Block, "weights" | "rowNodes" | "columnNodes"> {
  readonly file: string;
  readonly dtype: "float32" | "float64";
  readonly rowNodes: readonly number[];
  readonly columnNodes: readonly number[];
}

interface StoredGraph {
  readonly name: string;
  readonly nodeCount: number;
  readonly edgeCount: number;
  readonly layers: readonly { readonly name: string; readonly size: number }[];
  readonly blocks: readonly StoredBlock[];
}

/** Writes into `folder`, which is made if there is none. */
export function writeBlockFolder(graph: LayeredGraph, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const blocks = graph.blocks.map(
    ({ weights, rowNodes, columnNodes, ...block }, i): StoredBlock => {
      if (weights === null) throw new Error(`block ${block.name} has no single taps`);
      const file = `block-${i}.bin`;
      writeFileSync(
        join(folder, file),
        new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength),
      );
      return {
        ...block,
        file,
        dtype: weights instanceof Float32Array ? "float32" : "float64",
        rowNodes: Array.from(rowNodes),
        columnNodes: Array.from(columnNodes),
      };
    },
  );
  const { name, nodeCount, edgeCount } = graph;
  const layers = graph.layers.map((layer) => ({ name: layer.name, size: layer.size }));
  const stored: StoredGraph = { name, nodeCount, edgeCount, layers, blocks };
  writeFileSync(join(folder, "graph.json"), JSON.stringify(stored));
}
