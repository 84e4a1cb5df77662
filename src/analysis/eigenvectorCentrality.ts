/**
 * Eigenvector centrality of every neuron: the Perron vector of |A|, each edge taken both ways.
 *
 * An edge weight is the L2 norm of its taps; signs are dropped, since Perron-Frobenius needs them gone; parallel edges add.
 * Domain: each connected component with an edge has its own vector, non-negative and of unit L2 norm, and its own eigenvalue;
 * a neuron without an edge of non-zero weight has no value; a graph without any is refused. `compat: "networkx"` gives the
 * vector of the whole graph instead.
 * A layered graph is bipartite (even and odd layers), so its spectrum is symmetric and plain power iteration never settles;
 * Lanczos needs no shift. An eigenvector's error is the residual over the gap to the next eigenvalue, so the iteration aims
 * at a residual of 1e-16, its `target`, and fails only above `tolerance`. A few products more make small entries accurate in
 * themselves, not only beside the large ones; whoever sets a target of more than 1e-12 does without them.
 * Cost: O(edges) an iteration, 10 to 60 iterations on dense networks; float64 throughout, but that with such a target products take
 * float32 once its error is a part of the target at most.
 * Source: Bonacich 1972, doi 10.1080/0022250X.1972.9989806; Lanczos 1950, doi 10.6028/jres.045.026.
 * Golden: docs/measures/eigenvector.md; K(m,n) in closed form, the rolled toy and random graphs against dense solvers.
 */
import { AnalysisError, GraphError } from "../errors.ts";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import { largestEigenpair, type SymmetricOperator } from "../numeric/lanczos.ts";
import { dot, norm, toUnit } from "../numeric/vector.ts";
import { nodeMeasure, type Measure } from "./measure.ts";
import { componentOperators, type ComponentOperator } from "./componentOperators.ts";
import { leadingParts } from "./leadingParts.ts";
import { nodesInBlocks, type NodeValues } from "./nodeValues.ts";
import { requireNumber, requireOneOf } from "./options.ts";

export interface EigenvectorCentralityOptions {
  /** Stop at this ‖Ax − λx‖ / λ; below 1e-15 rounding rules. @defaultValue 1e-16 */
  readonly target?: number;
  /** The largest ‖Ax − λx‖ / λ that is accepted, if above the target. @defaultValue 1e-9 */
  readonly tolerance?: number;
  /** Lanczos steps per component. @defaultValue 2000 */
  readonly maxIterations?: number;
  /** `networkx`: one vector of the whole graph instead of one for each component. @defaultValue "none" */
  readonly compat?: "none" | "networkx";
}

export interface ComponentCentrality {
  /** Nodes of the component. */
  readonly size: number;
  readonly eigenvalue: number;
  /**
   * ‖Ax − λx‖ / λ of the vector that is returned: measured on it, or, with a target of more than 1e-12, by the recurrence of the
   * iteration, which holds to rounding; what products in float32 can have added is counted in full, so that it may be less.
   */
  readonly residual: number;
  /** Lanczos steps; a few products that polish the vector are not counted. */
  readonly iterations: number;
}

export interface EigenvectorCentrality extends NodeValues {
  /** Largest over the components. */
  readonly eigenvalue: number;
  /** Largest over the components. */
  readonly residual: number;
  /** Sum over the components. */
  readonly iterations: number;
  /** Those with an edge, in order of their first node. */
  readonly components: readonly ComponentCentrality[];
}

/** @throws {GraphError} `GRAPH_NO_EDGES` @throws {AnalysisError} `ANALYSIS_NOT_CONVERGED`, `ANALYSIS_UNDEFINED` */
export function eigenvectorCentrality(
  graph: LayeredGraph,
  {
    target = 1e-16,
    tolerance = 1e-9,
    maxIterations = 2000,
    compat = "none",
  }: EigenvectorCentralityOptions = {},
): EigenvectorCentrality {
  requireNumber("target", target, { min: 0, max: 1, integer: false });
  requireNumber("tolerance", tolerance, { min: 0, max: 1, integer: false });
  requireNumber("maxIterations", maxIterations, iterationDomain);
  requireOneOf("compat", compat, ["none", "networkx"]);
  const operators = componentOperators(graph);
  if (operators.length === 0) {
    throw new GraphError("GRAPH_NO_EDGES", "no edge of non-zero weight, so no eigenvector", {
      path: [graph.name],
    });
  }
  const values = new Float64Array(graph.nodeCount);
  const covered = new Uint8Array(graph.nodeCount);
  const components = operators.map((operator): ComponentCentrality => {
    const { vector, ...component } = perronPair(operator, { target, maxIterations });
    if (component.residual > Math.max(target, tolerance)) {
      throw new AnalysisError(
        "ANALYSIS_NOT_CONVERGED",
        `residual ${component.residual.toExponential(2)} after ${component.iterations} iterations`,
        {
          path: [graph.name],
          details: component,
          hint: "Raise maxIterations, or tolerance if that much precision is not needed.",
        },
      );
    }
    const { nodes } = operator;
    for (let i = 0; i < nodes.length; i++) {
      values[nodes[i]!] = vector[i]!;
      covered[nodes[i]!] = 1;
    }
    return component;
  });
  const parts = operators.map(({ nodes }, i) => ({ nodes, ...components[i]! }));
  return {
    ...(compat === "networkx" ? wholeVector(graph, values, parts) : { values, covered }),
    eigenvalue: Math.max(...components.map(({ eigenvalue }) => eigenvalue)),
    residual: Math.max(...components.map(({ residual }) => residual)),
    iterations: components.reduce((sum, { iterations }) => sum + iterations, 0),
    components,
  };
}

/**
 * The limit of power iteration with A + 1 on the whole graph, from equal values: the vector of the component with the largest
 * eigenvalue; of several that share it each in proportion to the sum of its own. All other neurons have 0.
 */
function wholeVector(
  graph: LayeredGraph,
  values: Float64Array,
  parts: readonly { readonly nodes: Int32Array; readonly eigenvalue: number }[],
): NodeValues {
  const whole = new Float64Array(values.length);
  for (const leading of leadingParts(parts.map(({ eigenvalue }) => eigenvalue))) {
    const { nodes } = parts[leading]!;
    const share = nodes.reduce((sum, node) => sum + values[node]!, 0);
    for (const node of nodes) whole[node] = share * values[node]!;
  }
  return { values: toUnit(whole), covered: nodesInBlocks(graph) };
}

const iterationDomain = { min: 1, max: Number.MAX_SAFE_INTEGER, integer: true };
/** Polishing stops once no entry moves by more than this share of itself, or after so many products. */
const polish = { share: 1e-10, most: 30, target: 1e-12 };

function perronPair(
  { apply, rough, nodes, sides, scale }: ComponentOperator,
  { target, maxIterations }: { readonly target: number; readonly maxIterations: number },
): ComponentCentrality & { readonly vector: Float64Array } {
  const size = nodes.length;
  // From one side on, every step has its vector on one side alone, and half the work.
  const start = new Float64Array(size);
  for (let i = 0; i < size; i++) start[i] = sides?.[i] === 1 ? 0 : 1;
  // One step on one side has seen nothing of the other.
  const least = sides === null ? 1 : 2;
  const found = largestEigenpair(apply, start, {
    alternates: sides !== null,
    target,
    maxIterations: Math.max(least, maxIterations),
    rough: target > polish.target ? rough : null,
  });
  const { vector: upright, isWhole } = withoutNegative(found.vector);
  const { value, vector, residual } =
    target > polish.target && isWhole
      ? { ...found, vector: upright }
      : polished(apply, toUnit(upright));
  const eigenvalue = value / scale;
  if (!Number.isFinite(eigenvalue)) {
    throw new AnalysisError("ANALYSIS_UNDEFINED", "the eigenvalue exceeds float64", {
      hint: "Divide all weights by a common factor.",
    });
  }
  return { size, eigenvalue, residual, iterations: found.iterations, vector };
}

/** The vector or its opposite, whichever has the positive sum, with zeros for negative entries; `isWhole` if there were none. */
function withoutNegative(vector: Float64Array): { vector: Float64Array; isWhole: boolean } {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i]!;
  const sign = sum < 0 ? -1 : 1;
  const upright = new Float64Array(vector.length);
  let isWhole = true;
  for (let i = 0; i < vector.length; i++) {
    const entry = sign * vector[i]!;
    if (entry > 0) upright[i] = entry;
    else if (entry < 0) isWhole = false;
  }
  return { vector: upright, isWhole };
}

/** The vector after products that leave no entry moving, its eigenvalue, and the residual as measured. */
function polished(
  apply: SymmetricOperator,
  start: Float64Array,
): { readonly value: number; readonly vector: Float64Array; readonly residual: number } {
  let vector: Float64Array = start;
  for (let products = 1; ; products++) {
    const image = new Float64Array(start.length);
    apply(vector, image);
    const value = dot(vector, image);
    const step = image.map((entry) => entry / value);
    const rests = step.every(
      (entry, i) => Math.abs(entry - vector[i]!) <= polish.share * entry + Number.MIN_VALUE,
    );
    if (rests || products >= polish.most) {
      return { value, vector, residual: norm(step.map((entry, i) => entry - vector[i]!)) };
    }
    vector = toUnit(step);
  }
}

/** As data. */
export const eigenvectorCentralityMeasure: Measure = nodeMeasure({
  id: "eigenvector",
  title: "Eigenvector centrality",
  description: "Perron vector of the edge weights, unit L2 norm in each connected component.",
  parameters: [
    {
      name: "target",
      kind: "number",
      integer: false,
      min: 0,
      max: 1,
      default: 1e-16,
      description: "Residual, relative to the eigenvalue, at which to stop.",
    },
    {
      name: "tolerance",
      kind: "number",
      integer: false,
      min: 0,
      max: 1,
      default: 1e-9,
      description:
        "Largest residual, relative to the eigenvalue, that is accepted, if above the target.",
    },
    {
      name: "maxIterations",
      kind: "number",
      integer: true,
      min: 1,
      max: Number.MAX_SAFE_INTEGER,
      default: 2000,
      description: "Most Lanczos steps, each a product with the matrix, per component.",
    },
    {
      name: "compat",
      kind: "choice",
      choices: ["none", "networkx"],
      default: "none",
      description: "A vector for each component, or as networkx one for the whole graph.",
    },
  ],
  compute: eigenvectorCentrality,
  facts: ({ eigenvalue, residual, iterations, components }) => ({
    eigenvalue,
    residual,
    iterations,
    components,
  }),
});
