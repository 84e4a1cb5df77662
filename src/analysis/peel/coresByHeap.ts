/**
 * Core numbers node by node: the plain way, for small graphs and for those that the bulk peel does not know; what that is tested
 * against. Degrees are compensated sums. Cost: O(edges log nodes).
 */
import { adjacencyOf } from "../../graph/adjacency.ts";
import type { LayeredGraph } from "../../graph/layeredGraph.ts";
import { visitMarks } from "../../graph/visitMarks.ts";
import type { NodeValues } from "../nodeValues.ts";
import { peelByDegree, type LinkVisitor } from "../peelByDegree.ts";

/** @throws {AnalysisError} `ANALYSIS_UNDEFINED` */
export function coresByHeap(
  graph: LayeredGraph,
  { unweighted }: { readonly unweighted: boolean },
): NodeValues {
  const { nodeCount } = graph;
  const { sends, receives, forEachSender, forEachReceiver } = adjacencyOf(graph, "norm");
  const marks = visitMarks(nodeCount);
  const visitNeighbours = (node: number, visit: LinkVisitor): void => {
    marks.next();
    const visitOther: LinkVisitor = (other, weight) => {
      if (other === node) return;
      if (!unweighted) visit(other, weight);
      else if (marks.first(other)) visit(other, 1);
    };
    forEachSender(node, visitOther);
    forEachReceiver(node, visitOther);
  };
  return peelByDegree({
    covered: Uint8Array.from({ length: nodeCount }, (_, n) => (sends(n) || receives(n) ? 1 : 0)),
    measure: "weighted degree",
    fill(add) {
      for (let node = 0; node < nodeCount; node++)
        visitNeighbours(node, (_, amount) => add(node, amount));
    },
    remove: visitNeighbours,
  });
}
