import { affine, tiedNormalisation } from "../model/channelNormalisation.ts";
import type { Model, ModelWarning } from "../model/model.ts";
import type { Block } from "./block.ts";
import { checkFinite } from "./checkFinite.ts";
import { assembleGraph, type LayeredGraph } from "./layeredGraph.ts";
import { wiredBlocks } from "./wiredBlocks.ts";

export interface NormalisedGraph {
  readonly graph: LayeredGraph;
  /** Of normalisations that have no nodes, and of those that are tied by their names alone. */
  readonly warnings: readonly ModelWarning[];
}

/**
 * The graph of a model with nodes for each batch normalisation that its reader tied to a weight layer: one per receiving neuron,
 * between the layer's weights and the neuron, in a layer with the name of its scale, behind all others. The weights lead to them,
 * and a block of kind `normalisation`, a group per neuron, from them to the neurons by scale / sqrt(variance + epsilon); products
 * along both are the weights of `foldNormalisation`. What else reads or adds to the neurons stays. A layer that is used twice has
 * nodes for each use. `graph` is that of the model, before bias nodes are added; its weights are shared.
 * Cost: one read of the normalisations. Source: y = factor x + offset is itself a layer, a diagonal one.
 * @throws {WeightGraphError} `NORMALISATION_UNKNOWN` where none is tied, `WEIGHTS_NOT_FINITE`; {ShapeError} `SHAPE_MISMATCH`;
 *   {GraphError} `GRAPH_MALFORMED` for the graph of another model
 */
export async function addNormalisationNodes(
  graph: LayeredGraph,
  model: Model,
): Promise<NormalisedGraph> {
  const { warnings } = tiedNormalisation(model);
  const layers: { name: string; size: number }[] = [...graph.layers];
  const blocks: Block[] = [];
  let { nodeCount } = graph;
  for (const { block, wire } of wiredBlocks(graph, model)) {
    const layer = model.layers[wire.layer]!;
    const { normalisation } = layer;
    if (normalisation === undefined) {
      blocks.push(block);
      continue;
    }
    const { name } = normalisation.scale ?? normalisation.mean;
    const { factor } = await affine(layer, normalisation);
    checkFinite(factor, [model.name, name]);
    const size = factor.length;
    const nodes = Int32Array.from({ length: size }, (_, neuron) => nodeCount + neuron);
    layers.push({ name, size });
    nodeCount += size;
    const shape = { rows: size, columns: size, groups: size, taps: 1 };
    const ends = { rowNodes: block.rowNodes, columnNodes: nodes };
    blocks.push(
      { ...block, rowNodes: nodes },
      { name, kind: "normalisation", weights: factor, ...shape, ...ends },
    );
  }
  const { edgeCount, ...placed } = assembleGraph(graph.name, layers, blocks, graph.certainty);
  return {
    graph: { ...graph, blocks, layers: placed.layers, nodeCount, edgeCount },
    warnings,
  };
}
