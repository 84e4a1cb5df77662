/**
 * The second waist: every measure starts from a `LayeredGraph`. Layers of nodes, blocks of weights between them; a block is a
 * view on the model's weights, never a million edge objects.
 */
import { GraphError } from "../errors.ts";
import { allocateWeights } from "../kernels/weightArena.ts";
import type { Model } from "../model/model.ts";
import type { Wire } from "../model/topology.ts";
import { elementCount } from "../tensor/shape.ts";
import type { Block } from "./block.ts";
import { blockPattern } from "./blockPattern.ts";
import { blockSums } from "./blockSums.ts";
import { readCollapsed, readsAsFloat32, readWeights, type BlockReading } from "./readBlock.ts";
import { sumReader, type SumReader } from "./readSums.ts";
import type { EdgeWeight, GraphTransform } from "./weighting.ts";

export type { Block } from "./block.ts";

export interface GraphLayer {
  readonly name: string;
  /** Number of the layer's first node; its nodes follow one another. */
  readonly offset: number;
  readonly size: number;
}

export interface LayeredGraph {
  readonly name: string;
  readonly layers: readonly GraphLayer[];
  readonly nodeCount: number;
  /** Pairs of neurons that a block connects, zero weights included. */
  readonly edgeCount: number;
  readonly blocks: readonly Block[];
  /** Weights from a layer's own past, of kind `recurrent`: no edges of the graph until `includeRecurrent` makes them so. */
  readonly recurrentBlocks: readonly Block[];
  /** `declared` by the file, or `inferred` from order and shape. */
  readonly certainty: "declared" | "inferred";
  /** What measures of one number per edge take for it, `weighEdges`. */
  readonly edgeWeight: EdgeWeight;
  /** What was done to the edge weights since, in order, `transformGraph`. */
  readonly transforms: readonly GraphTransform[];
  /** Weight layers whose normalisation is in their weights, `foldNormalisation`. */
  readonly folded?: readonly string[];
}

export interface LayeredGraphOptions {
  /**
   * What is kept of the weights: what the taps of each edge come to (`edges`), every tap, or no more than `sums` of large matrices
   * by row and column: enough for strengths, weighted degrees and components of a model larger than memory, for nothing else.
   * @defaultValue "edges"
   */
  readonly keep?: "edges" | "taps" | "sums";
  /** Threads for measures of large blocks. The answers are the same for any number. @defaultValue 1 */
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

/**
 * The rolled graph of a model: a node per channel or unit, an edge per pair of them that a kernel connects.
 * Recurrent weights, which join a layer to itself, are no edges but stand by themselves (`recurrentBlocks`).
 * Cost: one read of each weight tensor, a span at a time, into the memory that the kernels work on.
 * Source: Vahedian et al. 2022, doi 10.1145/3511808.3557628, and the graphs of its code.
 * @throws {WeightGraphError} `WEIGHTS_NOT_FINITE`; {FormatError} of the reader.
 */
export async function layeredGraph(
  model: Model,
  { keep = "edges", threads = 1, signal }: LayeredGraphOptions = {},
): Promise<LayeredGraph> {
  const { topology } = model;
  const { wires } = topology;
  const isCollapsed = ({ layout }: Wire): boolean => keep !== "taps" && layout.taps > 1;
  const nodeCount = topology.layers.reduce((sum, { size }) => sum + size, 0);
  const counts = wires.map((wire) => {
    const { tensor } = model.layers[wire.layer]!;
    const isElsewhere = keep === "sums" || isCollapsed(wire) || !readsAsFloat32(tensor);
    return isElsewhere ? 0 : elementCount(wire.layout.split);
  });
  const rooms = allocateWeights(counts, scratchBytes(nodeCount, counts), { threads });
  const readings = wires.map(({ layer, layout }): BlockReading => {
    const { name, tensor } = model.layers[layer]!;
    return { tensor, layout, path: [model.name, name], ...(signal && { signal }) };
  });
  const streamed = readings.filter((_, i) => keep === "sums" && !isCollapsed(wires[i]!));
  const reader = sumReader(streamed, { threads });
  const blocks: Block[] = [];
  try {
    for (const [i, wire] of wires.entries()) {
      signal?.throwIfAborted();
      const { name } = model.layers[wire.layer]!;
      const { layout } = wire;
      const reading = readings[i]!;
      const shape = {
        name,
        ...(wire.recurrent && { kind: "recurrent" as const }),
        rows: wire.to.length,
        columns: wire.from.length,
        groups: layout.groups,
        taps: layout.taps,
        rowNodes: wire.to,
        columnNodes: wire.from,
      };
      if (isCollapsed(wire)) {
        blocks.push({ ...shape, weights: null, collapsed: await readCollapsed(reading) });
      } else if (keep === "sums") {
        blocks.push({ ...shape, weights: null, ...(await summed(shape, reading, reader)) });
      } else {
        blocks.push({ ...shape, weights: await readWeights(reading, rooms[i]!) });
      }
    }
  } finally {
    await reader.end();
  }
  const forward = blocks.filter(({ kind }) => kind !== "recurrent");
  const graph = assembleGraph(model.name, topology.layers, forward, topology.certainty);
  const { folded } = model;
  return {
    ...graph,
    ...(folded && { folded }),
    recurrentBlocks: blocks.filter(({ kind }) => kind === "recurrent"),
  };
}

/** Sums of a block and which of its edges are there, the weights forgotten. */
async function summed(
  shape: Omit<Block, "weights">,
  reading: BlockReading,
  reader: SumReader,
): Promise<Pick<Block, "sums" | "pattern">> {
  const streamed = await reader.next(reading);
  if (streamed !== null) return streamed;
  const room = new Float32Array(elementCount(reading.layout.split));
  const block = { ...shape, weights: await readWeights(reading, room) };
  return { sums: blockSums(block), pattern: blockPattern(block) };
}

/** Room for the vectors of an iteration, and for a working copy of the largest block. */
export function scratchBytes(nodeCount: number, counts: readonly number[]): number {
  const largest = counts.reduce((most, count) => Math.max(most, count), 0);
  const all = counts.reduce((sum, count) => sum + 4 * count, 0);
  const wanted = 2 ** 22 + 1024 * nodeCount + 8 * largest;
  return Math.max(2 ** 22 + 64 * nodeCount, Math.min(wanted, 2 ** 32 - 2 ** 20 - all));
}

/**
 * A graph from layers and blocks; numbers the nodes layer after layer.
 * @throws {GraphError} `GRAPH_MALFORMED` if a block does not fit.
 */
export function assembleGraph(
  name: string,
  layers: readonly { readonly name: string; readonly size: number }[],
  blocks: readonly Block[],
  certainty: LayeredGraph["certainty"],
): LayeredGraph {
  let nodeCount = 0;
  const placed = layers.map((layer) => {
    const offset = nodeCount;
    nodeCount += layer.size;
    return { name: layer.name, offset, size: layer.size };
  });
  let edgeCount = 0;
  for (const block of blocks) {
    const edges = (block.rows * block.columns) / block.groups;
    const inside = (ids: Int32Array): boolean => ids.every((id) => id >= 0 && id < nodeCount);
    if (
      !fits(block, edges) ||
      block.rowNodes.length !== block.rows ||
      block.columnNodes.length !== block.columns ||
      !inside(block.rowNodes) ||
      !inside(block.columnNodes)
    ) {
      throw new GraphError("GRAPH_MALFORMED", `block ${block.name} does not fit its layers`, {
        path: [name, block.name],
      });
    }
    edgeCount += edges;
  }
  const plain = { recurrentBlocks: [], edgeWeight: "norm", transforms: [] } as const;
  return { name, layers: placed, nodeCount, edgeCount, blocks, certainty, ...plain };
}

function fits({ weights, collapsed, sums, pattern, taps }: Block, edges: number): boolean {
  if (weights !== null) return weights.length === edges * taps;
  if (collapsed === undefined) return sums !== undefined && pattern !== undefined;
  return Object.values(collapsed).every((values: Float64Array) => values.length === edges);
}
