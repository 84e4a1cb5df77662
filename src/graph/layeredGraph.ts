/**
 * The second waist: every measure starts from a `LayeredGraph`. Layers of nodes, blocks of weights between them; a block is a
 * view on the model's weights, never a million edge objects.
 */
import { GraphError, WeightGraphError } from "../errors.ts";
import type { Model } from "../model/model.ts";
import type { FloatArray } from "../tensor/dtype.ts";
import { toCanonical } from "../tensor/layout.ts";

export interface GraphLayer {
  readonly name: string;
  /** Number of the layer's first node; its nodes follow one another. */
  readonly offset: number;
  readonly size: number;
}

export interface Block {
  readonly name: string;
  /** [groups, rows / groups, columns / groups, taps]: a row per receiving neuron. */
  readonly weights: FloatArray;
  readonly rows: number;
  readonly columns: number;
  /** Row r meets only the columns of its own group. */
  readonly groups: number;
  /** Weights between the same two neurons: kernel area, positions of a flattened channel, gates. */
  readonly taps: number;
  /** Node of each row. */
  readonly rowNodes: Int32Array;
  /** Node of each column. */
  readonly columnNodes: Int32Array;
}

export interface LayeredGraph {
  readonly name: string;
  readonly layers: readonly GraphLayer[];
  readonly nodeCount: number;
  /** Pairs of neurons that a block connects, zero weights included. */
  readonly edgeCount: number;
  readonly blocks: readonly Block[];
  /** `declared` by the file, or `inferred` from order and shape. */
  readonly certainty: "declared" | "inferred";
}

/**
 * The rolled graph of a model: a node per channel or unit, an edge per pair of them that a kernel connects.
 * Recurrent weights are left out, since they join a layer to itself.
 * Cost: one read of each weight tensor; a copy only where a layout has to be turned.
 * Source: Vahedian et al. 2022, doi 10.1145/3511808.3557628, and the graphs of its code.
 * @throws {WeightGraphError} `WEIGHTS_NOT_FINITE`; {FormatError} of the reader.
 */
export async function layeredGraph(model: Model): Promise<LayeredGraph> {
  const { topology } = model;
  const blocks: Block[] = [];
  for (const wire of topology.wires) {
    if (wire.recurrent) continue;
    const layer = model.layers[wire.layer]!;
    const { layout } = wire;
    const weights = toCanonical(await layer.tensor.read(), layout);
    checkFinite(weights, [model.name, layer.name]);
    blocks.push({
      name: layer.name,
      weights,
      rows: wire.to.length,
      columns: wire.from.length,
      groups: layout.groups,
      taps: layout.taps,
      rowNodes: wire.to,
      columnNodes: wire.from,
    });
  }
  return assembleGraph(model.name, topology.layers, blocks, topology.certainty);
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
      block.weights.length !== edges * block.taps ||
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
  return { name, layers: placed, nodeCount, edgeCount, blocks, certainty };
}

/** @throws {WeightGraphError} `WEIGHTS_NOT_FINITE` */
export function checkFinite(weights: FloatArray, path: readonly (string | number)[]): void {
  for (let i = 0; i < weights.length; i++) {
    if (!Number.isFinite(weights[i]!)) {
      throw new WeightGraphError("WEIGHTS_NOT_FINITE", `element ${i} is ${weights[i]}`, {
        path,
        hint: "A diverged run or a damaged file: `layers` shows which tensors are affected.",
      });
    }
  }
}
