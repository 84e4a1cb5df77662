import type { UnrolledGraph } from "../graph/unrolledGraph.ts";
import { nodeMeasure, type Measure } from "./measure.ts";
import type { NodeStrengthOptions } from "./nodeStrength.ts";
import { unrolledStrength } from "./unrolledStrength.ts";

/**
 * The measure on `graph` itself, whatever graph it is run on: from kernels and geometry, however many edges that stands for. Null
 * for a measure that needs edges.
 */
export function unrolledMeasure(measure: Measure, graph: UnrolledGraph): Measure | null {
  if (measure.id === "strength") {
    return nodeMeasure({
      ...measure,
      compute: (_graph, options: NodeStrengthOptions) => unrolledStrength(graph, options),
    });
  }
  if (measure.id !== "degree") return null;
  return nodeMeasure({ ...measure, compute: () => unrolledStrength(graph, { sign: "absolute" }) });
}
