/** Exports that graphology's libraries write. */
import {
  toGexf,
  toGraphology,
  type ExportedFacts,
  type GexfOptions,
  type GraphologyOptions,
  type LayeredGraph,
} from "../src/node.ts";

export function graphology(
  graph: LayeredGraph,
  options: GraphologyOptions,
): { content: unknown; facts: ExportedFacts } {
  const exported = toGraphology(graph, options);
  return { content: exported.export(), facts: exported.getAttributes() };
}

export function gexf(
  graph: LayeredGraph,
  options: GexfOptions,
): { content: string; facts: ExportedFacts } {
  const content = toGexf(graph, options);
  return { content, facts: toGraphology(graph, options).getAttributes() };
}
