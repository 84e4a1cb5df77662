import {
  isWeightGraphError,
  measures,
  type LayeredGraph,
  type ViewMeasure,
} from "../../src/index.ts";

/** Every registered measure with its defaults. One that is undefined for this graph has no values and says why. */
export function viewMeasures(graph: LayeredGraph): ViewMeasure[] {
  return measures.map(({ id, title, run }) => {
    try {
      return { id, title, values: run(graph).nodes, problem: null };
    } catch (error) {
      if (!isWeightGraphError(error)) throw error;
      const values = Array.from({ length: graph.nodeCount }, () => null);
      return { id, title, values, problem: error.message };
    }
  });
}
