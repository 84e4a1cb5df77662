import { GraphError } from "../errors.ts";
import { affine } from "../model/channelNormalisation.ts";
import type { Model } from "../model/model.ts";
import type { FloatArray } from "../tensor/dtype.ts";
import type { Block } from "./block.ts";
import { checkFinite } from "./checkFinite.ts";
import { assembleGraph, type LayeredGraph } from "./layeredGraph.ts";
import { wiredBlocks } from "./wiredBlocks.ts";

export interface BiasedGraph {
  readonly graph: LayeredGraph;
  /** Weight layers whose bias the model does not tell: they have no node. */
  readonly unknown: readonly string[];
}

/**
 * The graph of a model with a node for the bias of each weight layer, behind all others: joined to every receiving neuron by its
 * bias as the weight, in a layer `bias of NAME`, a block of kind `bias`. A layer that is used twice has one node and two blocks.
 * Where normalisations have nodes (`addNormalisationNodes`) a layer's bias leads to those, and what the normalisation adds,
 * shift - factor mean, is a bias of its own, of the neurons.
 * Cost: one read of the biases. Source: the rolled graph has none by default; the node of constant output 1 is the usual reading.
 * @throws {GraphError} `GRAPH_BIAS_UNKNOWN` where no layer's bias is known, `GRAPH_MALFORMED` for the graph of another model; {WeightGraphError} `WEIGHTS_NOT_FINITE`
 */
export async function addBiasNodes(graph: LayeredGraph, model: Model): Promise<BiasedGraph> {
  const layers: { name: string; size: number }[] = [...graph.layers];
  const blocks: Block[] = [];
  const unknown = new Set<string>();
  const wires = wiredBlocks(
    graph,
    model,
    graph.blocks.filter(({ kind }) => kind === undefined),
  );
  const isNormalised = graph.blocks.some(({ kind }) => kind === "normalisation");
  const add = (tensor: string, weights: FloatArray, receivers: readonly Int32Array[]): void => {
    checkFinite(weights, [model.name, tensor]);
    const name = `bias of ${tensor}`;
    const columnNodes = Int32Array.of(graph.nodeCount + layers.length - graph.layers.length);
    layers.push({ name, size: 1 });
    for (const rowNodes of receivers) {
      const shape = { rows: rowNodes.length, columns: 1, groups: 1, taps: 1 };
      blocks.push({ name, kind: "bias", weights, ...shape, rowNodes, columnNodes });
    }
  };
  let known = 0;
  for (const [index, layer] of model.layers.entries()) {
    const { name, bias, normalisation } = layer;
    const own = wires.filter(({ wire }) => wire.layer === index);
    if (bias === undefined && own.length > 0) unknown.add(name);
    if (bias !== undefined) known++;
    if (own.length === 0) continue;
    const neurons = own.map(({ wire }) => wire.to);
    const receivers = own.map(({ block }) => block.rowNodes);
    const weights = bias && (await bias.read());
    if (weights && neurons.some(({ length }) => length !== weights.length)) unknown.add(name);
    else if (weights) add(name, weights, receivers);
    if (isNormalised && normalisation) {
      known++;
      const { offset } = await affine(layer, normalisation);
      add((normalisation.scale ?? normalisation.mean).name, offset, neurons);
    }
  }
  if (known === 0) {
    throw new GraphError(
      "GRAPH_BIAS_UNKNOWN",
      "the file does not tell which biases are of which layer",
      {
        path: [graph.name],
        details: { layers: [...unknown] },
      },
    );
  }
  const all = [...graph.blocks, ...blocks];
  const assembled = assembleGraph(graph.name, layers, all, graph.certainty);
  return {
    graph: { ...assembled, ...keptOf(graph) },
    unknown: [...unknown],
  };
}

/** What the bias nodes leave as it was. */
function keptOf({ recurrentBlocks, edgeWeight, transforms, folded }: LayeredGraph) {
  return { recurrentBlocks, edgeWeight, transforms, ...(folded && { folded }) };
}
