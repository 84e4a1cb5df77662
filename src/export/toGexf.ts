import { write } from "graphology-gexf";
import type { AbstractGraph } from "graphology-types";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import type { ExportedFacts } from "./exportedGraph.ts";
import { toGraphology, type GraphologyOptions } from "./toGraphology.ts";

export interface GexfOptions extends GraphologyOptions {
  /** `1.2` for readers that know no later one, such as networkx. @defaultValue "1.3" */
  readonly version?: "1.2" | "1.3";
}

/**
 * The graph as a GEXF document, for Gephi: label, layer, rank, index, position and measures on nodes, weight and block (and what `edgeAttributes` adds) on
 * edges; the description says what was kept. Control characters, which XML 1.0 forbids, become U+FFFD.
 * Cost: as `toGraphology`, and a few hundred characters a node or edge. Errors: those of `toGraphology`.
 */
export function toGexf(
  layered: LayeredGraph,
  { version = "1.3", ...options }: GexfOptions = {},
): string {
  const graph: AbstractGraph = toGraphology(layered, options);
  graph.replaceAttributes({ creator: "weightgraph", description: descriptionOf(graph) });
  return legal(write(graph, { version, pedantic: true }));
}

/** The schema knows no other place for facts about the whole graph. */
function descriptionOf(graph: AbstractGraph): string {
  const { name, edges, keptEdges, keptShare, weight, transforms } =
    graph.getAttributes() as ExportedFacts;
  const share = Number((100 * keptShare).toPrecision(4));
  const done = transforms.length > 0 ? `, then ${transforms.join(", ")}` : "";
  return `${name}: ${keptEdges} of ${edges} edges, ${share} % of the absolute weights; weight is ${weight}${done}`;
}

/** Names come from model files and may hold anything; the writer escapes markup, but not what XML cannot hold at all. */
function legal(xml: string): string {
  return xml.replace(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, (found) =>
    "\t\n\r".includes(found) ? found : "\uFFFD",
  );
}
