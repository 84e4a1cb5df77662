/**
 * Subgraph centrality of every neuron: closed walks from it, a walk of length k counted 1 / k!, which is (exp(beta A))_ii.
 *
 * A is the symmetric matrix of edges, 1 for each pair of neurons that a weight other than zero joins, or with `weighted` the L2 norm
 * of the taps, parallel edges added. With `positiveOnly` an edge counts if its taps add up to more than zero.
 * Values are natural logarithms, since exp(sqrt(mn)) of a full layer soon leaves float64; `form: "value"` takes the exponential, and
 * refuses what does not fit. Domain: a neuron that stands in no block has no value; one without edges has 1, whose logarithm is 0.
 * Cost: for each neuron 5 to 40 products with its component, once for neurons that have the very same edges, as those of a full
 * layer have by default; `ANALYSIS_TOO_LARGE` above 2^33 neurons times edges, either way.
 * Source: Estrada and Rodríguez-Velázquez 2005, doi 10.1103/PhysRevE.71.056103; bounds by Benzi and Golub 1999,
 * doi 10.1023/A:1022362401426.
 * Golden: docs/measures/subgraph.md, by hand; networkx and scipy on trained models.
 */
import { AnalysisError, GraphError } from "../errors.ts";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import { neighboursOf, type Neighbours } from "../graph/neighbours.ts";
import { logExponentialDiagonal } from "../numeric/exponentialQuadrature.ts";
import { largestEigenpair, type SymmetricOperator } from "../numeric/lanczos.ts";
import { nodeMeasure, type Measure } from "./measure.ts";
import { checkRange, type NodeValues } from "./nodeValues.ts";
import { requireNumber, requireOneOf } from "./options.ts";

export interface SubgraphCentralityOptions {
  /** @defaultValue false */
  readonly weighted?: boolean;
  /** Leave out edges that are negative or zero. @defaultValue false */
  readonly positiveOnly?: boolean;
  /** Factor of the matrix: small values look close by. @defaultValue 1 */
  readonly beta?: number;
  /** Natural logarithms, or the values themselves. @defaultValue "log" */
  readonly form?: (typeof forms)[number];
}

export interface SubgraphCentrality extends NodeValues {
  /** Largest distance of the bounds of a logarithm. */
  readonly gap: number;
  /** Lanczos steps over all neurons, of those with the very same edges one. */
  readonly steps: number;
}

const forms = ["log", "value"] as const;
const betaDomain = { min: 0, max: 1e6, integer: false };
const mostWork = 2 ** 33;
const quadrature = { tolerance: 1e-11, maxSteps: 300 };

/**
 * @throws {GraphError} `GRAPH_NO_EDGES`
 * @throws {AnalysisError} `ANALYSIS_TOO_LARGE`, `ANALYSIS_UNDEFINED`, `ANALYSIS_NOT_CONVERGED`
 */
export function subgraphCentrality(
  graph: LayeredGraph,
  {
    weighted = false,
    positiveOnly = false,
    beta = 1,
    form = "log",
  }: SubgraphCentralityOptions = {},
): SubgraphCentrality {
  requireNumber("beta", beta, betaDomain);
  requireOneOf("form", form, forms);
  if (graph.edgeCount === 0) {
    throw new GraphError("GRAPH_NO_EDGES", "no block, so no walks", { path: [graph.name] });
  }
  const work = 2 * graph.edgeCount * graph.nodeCount;
  if (work > mostWork) {
    throw new AnalysisError("ANALYSIS_TOO_LARGE", `${work} neurons times edges, either way`, {
      path: [graph.name],
      hint: "Every neuron takes products with the whole graph; take a smaller network.",
    });
  }
  const neighbours = neighboursOf(graph, { direction: "both", positiveOnly });
  if (!weighted) neighbours.weight.fill(1);
  const values = new Float64Array(graph.nodeCount);
  let gap = 0;
  let steps = 0;
  const parts = componentsOf(neighbours);
  for (const part of parts) {
    const { apply, scale } = operatorOf(part, neighbours);
    const size = part.nodes.length;
    const upperBound = largestEigenvalue(apply, size) * (1 + 1e-10);
    const options = { ...quadrature, factor: beta / scale, upperBound };
    const twins = twinsOf(part.nodes, neighbours);
    part.nodes.forEach((node, index) => {
      if (twins[index] !== index) {
        values[node] = values[part.nodes[twins[index]!]!]!;
        return;
      }
      const found = logExponentialDiagonal(apply, { index, size }, options);
      if (found.gap > 1e-8 * Math.max(1, Math.abs(found.value))) {
        throw new AnalysisError("ANALYSIS_NOT_CONVERGED", `bounds are ${found.gap} apart`, {
          path: [graph.name],
          details: { ...found },
          hint: "Take a smaller beta.",
        });
      }
      values[node] = found.value;
      gap = Math.max(gap, found.gap);
      steps += found.steps;
    });
  }
  const own = form === "log" ? values : values.map(Math.exp);
  const covered = neighbours.present;
  checkRange(own, "the subgraph centrality");
  return {
    values: own.map((value, node) => (covered[node] === 1 ? value : 0)),
    covered,
    gap,
    steps,
  };
}

interface Part {
  readonly nodes: Int32Array;
  /** Neighbours of all its nodes. */
  readonly entries: number;
}

/** Connected parts of two nodes or more, or of one that is joined to itself. */
function componentsOf({ start, neighbour }: Neighbours): Part[] {
  const nodeCount = start.length - 1;
  const seen = new Uint8Array(nodeCount);
  const parts: Part[] = [];
  for (let first = 0; first < nodeCount; first++) {
    if (seen[first] === 1 || start[first] === start[first + 1]) continue;
    seen[first] = 1;
    const nodes = [first];
    let entries = 0;
    for (let at = 0; at < nodes.length; at++) {
      const node = nodes[at]!;
      entries += start[node + 1]! - start[node]!;
      for (let i = start[node]!; i < start[node + 1]!; i++) {
        const other = neighbour[i]!;
        if (seen[other] === 1) continue;
        seen[other] = 1;
        nodes.push(other);
      }
    }
    parts.push({ nodes: Int32Array.from(nodes).sort(), entries });
  }
  return parts;
}

/** For each node the place of the first with the very same edges, its own if there is none: the two could change places. */
function twinsOf(nodes: Int32Array, { start, neighbour, weight }: Neighbours): Int32Array {
  const isTwin = (one: number, other: number): boolean => {
    const length = start[one + 1]! - start[one]!;
    if (length !== start[other + 1]! - start[other]!) return false;
    for (let i = start[one]!, j = start[other]!; i < start[one + 1]!; i++, j++) {
      if (neighbour[i] !== neighbour[j] || weight[i] !== weight[j]) return false;
    }
    return true;
  };
  const kin = new Map<number, number[]>();
  return nodes.map((node, place) => {
    let key = 0;
    for (let i = start[node]!; i < start[node + 1]!; i++) {
      key = (Math.imul(key, 31) + Math.imul(neighbour[i]!, 0x9e3779b1)) | 0;
    }
    const known = kin.get(key);
    if (known === undefined) kin.set(key, [place]);
    const twin = known?.find((own) => isTwin(nodes[own]!, node));
    if (twin === undefined) known?.push(place);
    return twin ?? place;
  });
}

/** scale · A x of one part, scale being a power of two that brings the largest weight to between 1 and 2. */
function operatorOf(
  { nodes, entries }: Part,
  { start, neighbour, weight }: Neighbours,
): { readonly apply: SymmetricOperator; readonly scale: number } {
  const local = new Map(Array.from(nodes, (node, i) => [node, i]));
  const rows = new Int32Array(nodes.length + 1);
  const columns = new Int32Array(entries);
  const weights = new Float64Array(entries);
  let at = 0;
  let largest = 0;
  nodes.forEach((node, i) => {
    for (let k = start[node]!; k < start[node + 1]!; k++, at++) {
      columns[at] = local.get(neighbour[k]!)!;
      weights[at] = weight[k]!;
      largest = Math.max(largest, weight[k]!);
    }
    rows[i + 1] = at;
  });
  const scale = 2 ** -Math.min(1000, Math.max(-1000, Math.floor(Math.log2(largest))));
  for (let k = 0; k < entries; k++) weights[k]! *= scale;
  const apply: SymmetricOperator = (x, y) => {
    for (let i = 0; i < y.length; i++) {
      let sum = 0;
      for (let k = rows[i]!; k < rows[i + 1]!; k++) sum += weights[k]! * x[columns[k]!]!;
      y[i] = sum;
    }
  };
  return { apply, scale };
}

function largestEigenvalue(apply: SymmetricOperator, size: number): number {
  const start = new Float64Array(size);
  apply(new Float64Array(size).fill(1), start);
  return largestEigenpair(apply, start, { target: 1e-12, maxIterations: 10_000 }).value;
}

/** As data. */
export const subgraphCentralityMeasure: Measure = nodeMeasure({
  id: "subgraph",
  title: "Subgraph centrality",
  description:
    "Closed walks from a neuron, shorter ones counted more: the logarithm of (exp A)_ii.",
  onRequest: true,
  parameters: [
    {
      name: "weighted",
      kind: "boolean",
      default: false,
      description: "Take the norms of taps as weights instead of 1 for every edge.",
    },
    {
      name: "positiveOnly",
      kind: "boolean",
      default: false,
      description: "Leave out edges whose taps do not add up to more than zero.",
    },
    {
      name: "beta",
      kind: "number",
      ...betaDomain,
      default: 1,
      description: "Factor of the matrix in the exponential.",
    },
    {
      name: "form",
      kind: "choice",
      choices: forms,
      default: "log",
      description: "Natural logarithms, or the values themselves where they fit.",
    },
  ],
  compute: subgraphCentrality,
  facts: ({ gap, steps }) => ({ gap, steps }),
});
