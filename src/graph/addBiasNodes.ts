import { GraphError } from "../errors.ts";
import type { Model } from "../model/model.ts";
import type { Block } from "./block.ts";
import { checkFinite } from "./checkFinite.ts";
import { assembleGraph, type LayeredGraph } from "./layeredGraph.ts";

export interface BiasedGraph {
  readonly graph: LayeredGraph;
  /** Weight layers whose bias the model does not tell: they have no node. */
  readonly unknown: readonly string[];
}

/**
 * The graph of a model with a node for the bias of each weight layer, behind all others: joined to every receiving neuron by its
 * bias as the weight, in a layer `bias of NAME`, a block of kind `bias`. A layer that is used twice has one node and two blocks.
 * Cost: one read of the biases. Source: the rolled graph has none by default; the node of constant output 1 is the usual reading.
 * @throws {GraphError} `GRAPH_BIAS_UNKNOWN` where no layer's bias is known; {WeightGraphError} `WEIGHTS_NOT_FINITE`
 */
export async function addBiasNodes(graph: LayeredGraph, model: Model): Promise<BiasedGraph> {
  const layers: { name: string; size: number }[] = [...graph.layers];
  const blocks: Block[] = [];
  const unknown = new Set<string>();
  let known = 0;
  for (const [index, { name, bias }] of model.layers.entries()) {
    const wires = model.topology.wires.filter(
      ({ layer, recurrent }) => layer === index && !recurrent,
    );
    if (bias === undefined && wires.length > 0) unknown.add(name);
    if (bias !== undefined) known++;
    if (!bias || wires.length === 0) continue;
    const weights = await bias.read();
    checkFinite(weights, [model.name, bias.name]);
    if (wires.some(({ to }) => to.length !== weights.length)) {
      unknown.add(name);
      continue;
    }
    const node = graph.nodeCount + layers.length - graph.layers.length;
    layers.push({ name: `bias of ${name}`, size: 1 });
    for (const { to } of wires) {
      const shape = { rows: to.length, columns: 1, groups: 1, taps: 1 };
      const nodes = { rowNodes: to, columnNodes: Int32Array.of(node) };
      blocks.push({ name: `bias of ${name}`, kind: "bias", weights, ...shape, ...nodes });
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
