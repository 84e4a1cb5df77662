import { write } from "graphology-gexf";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import { toGraphology, type GraphologyOptions } from "./toGraphology.ts";

/**
 * The graph as a GEXF 1.3 document, for Gephi: label, layer, rank, index and measures on nodes, weight and block on edges, the
 * facts about the graph as metadata. Control characters, which XML 1.0 forbids, become U+FFFD.
 * Cost: as `toGraphology`, and a few hundred characters a node or edge. Errors: those of `toGraphology`.
 */
export function toGexf(layered: LayeredGraph, options: GraphologyOptions = {}): string {
  return legal(write(toGraphology(layered, options), { version: "1.3" }));
}

/** Names come from model files and may hold anything; the writer escapes markup, but not what XML cannot hold at all. */
function legal(xml: string): string {
  return xml.replace(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, (found) =>
    "\t\n\r".includes(found) ? found : "\uFFFD",
  );
}
