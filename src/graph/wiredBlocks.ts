import { GraphError } from "../errors.ts";
import type { Model } from "../model/model.ts";
import type { Wire } from "../model/topology.ts";
import type { Block } from "./block.ts";
import type { LayeredGraph } from "./layeredGraph.ts";

/**
 * Those of `blocks`, the blocks of a model's weights, with the wires that they are of, in order.
 * @throws {GraphError} `GRAPH_MALFORMED` for the graph of another model, or one whose blocks were added to or split
 */
export function wiredBlocks(
  graph: LayeredGraph,
  { layers, topology }: Model,
  blocks: readonly Block[] = graph.blocks,
): readonly { readonly block: Block; readonly wire: Wire }[] {
  const wires = topology.wires.filter(({ recurrent }) => !recurrent);
  return blocks.map((block, place) => {
    const wire = wires[place];
    if (
      wire === undefined ||
      layers[wire.layer]!.name !== block.name ||
      blocks.length !== wires.length
    ) {
      throw new GraphError("GRAPH_MALFORMED", "the blocks are not those of the model's wires", {
        path: [graph.name, block.name],
        hint: "To layeredGraph(model) add normalisation nodes first, then bias nodes; then split heads.",
      });
    }
    return { block, wire };
  });
}
