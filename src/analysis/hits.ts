/**
 * Hubs and authorities (HITS): a neuron is a good hub when it sends to good authorities, and a good authority when good hubs
 * send to it. With W[receiver, sender], authority = W hub / σ and hub = Wᵀ authority / σ for the largest singular value σ.
 *
 * An edge weight is the norm of its taps unless the graph was weighed otherwise; parallel edges add.
 * W joins senders to receivers and falls apart where no path of edges, forth and back, leads from one to another: in a chain
 * of layers each pair of layers is a part of its own, since a hidden neuron is one thing as a receiver and another as a
 * sender. Each part has its own singular pair, positive and unique; by default the values of each part sum to 1. With
 * `compat: "networkx"` the part of the largest σ alone has values, as in the singular vector of the whole matrix, and every
 * other neuron 0; where two parts tie that vector is undefined.
 * Domain: at least one weight other than zero. A neuron that sends nothing is no hub, one that receives nothing no authority:
 * no value. Computed as the Perron vector of the graph in which every neuron stands twice, once as sender, once as receiver.
 * Cost: that of eigenvector centrality.
 * Source: Kleinberg 1999, doi 10.1145/324133.324140. Golden: docs/measures/hits.md; networkx and igraph on trained models.
 */
import { AnalysisError } from "../errors.ts";
import { blockPattern } from "../graph/blockPattern.ts";
import { connectedComponents } from "../graph/components.ts";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import { compensatedSum } from "../numeric/sum.ts";
import { eigenvectorCentrality } from "./eigenvectorCentrality.ts";
import { leadingParts } from "./leadingParts.ts";
import { nodeMeasure, type Measure } from "./measure.ts";
import { nodesInBlocks, type NodeValues } from "./nodeValues.ts";
import { requireOneOf } from "./options.ts";

export interface HitsOptions {
  /** @defaultValue "authority" */
  readonly role?: "hub" | "authority";
  /** Values of each part, or those of the singular vector of the whole matrix. @defaultValue "none" */
  readonly compat?: "none" | "networkx";
  /** The largest residual that is accepted. @defaultValue 1e-9 */
  readonly tolerance?: number;
  /** Lanczos steps for each part. @defaultValue 2000 */
  readonly maxIterations?: number;
}

export interface HitsComponent {
  readonly hubs: number;
  readonly authorities: number;
  readonly singularValue: number;
  /** ‖(W h - σ a, Wᵀ a - σ h)‖ / σ for the pair at unit norm. */
  readonly residual: number;
  readonly iterations: number;
}

export interface Hits extends NodeValues {
  /** Largest over the parts. */
  readonly singularValue: number;
  /** Largest over the parts. */
  readonly residual: number;
  /** Sum over the parts. */
  readonly iterations: number;
  /** Those with an edge, in order of their first sender. */
  readonly components: readonly HitsComponent[];
}

/**
 * @throws {UsageError} `USAGE_INVALID_OPTION` @throws {GraphError} `GRAPH_NO_EDGES`
 * @throws {AnalysisError} `ANALYSIS_NOT_CONVERGED`, `ANALYSIS_UNDEFINED`
 */
export function hits(
  graph: LayeredGraph,
  { role = "authority", compat = "none", tolerance = 1e-9, maxIterations = 2000 }: HitsOptions = {},
): Hits {
  requireOneOf("role", role, ["hub", "authority"]);
  requireOneOf("compat", compat, ["none", "networkx"]);
  const twice = sendersAndReceivers(graph);
  const found = eigenvectorCentrality(twice, { tolerance, maxIterations });
  const parts = partsOf(twice);
  const components = parts.map(({ hubs, authorities }, i): HitsComponent => {
    const { eigenvalue, residual, iterations } = found.components[i]!;
    return {
      hubs: hubs.length,
      authorities: authorities.length,
      singularValue: eigenvalue,
      residual,
      iterations,
    };
  });

  const shift = role === "hub" ? 0 : graph.nodeCount;
  const values = new Float64Array(graph.nodeCount);
  const covered = compat === "none" ? new Uint8Array(graph.nodeCount) : nodesInBlocks(graph);
  const chosen = compat === "none" ? parts : [parts[leading(components, graph)]!];
  for (const { hubs, authorities } of chosen) {
    const places = role === "hub" ? hubs : authorities;
    const total = compensatedSum(places.map((place) => found.values[place]!));
    for (const place of places) {
      values[place - shift] = found.values[place]! / total;
      covered[place - shift] = 1;
    }
  }
  const { eigenvalue: singularValue, residual, iterations } = found;
  return { values, covered, singularValue, residual, iterations, components };
}

/** Node n as a sender is node n, as a receiver node nodeCount + n. The weights stay where they are. */
function sendersAndReceivers(graph: LayeredGraph): LayeredGraph {
  const { nodeCount, layers, blocks } = graph;
  return {
    ...graph,
    nodeCount: 2 * nodeCount,
    layers: [...layers, ...layers.map((layer) => ({ ...layer, offset: layer.offset + nodeCount }))],
    blocks: blocks.map((block) => ({
      ...block,
      pattern: blockPattern(block),
      rowNodes: block.rowNodes.map((node) => node + nodeCount),
    })),
  };
}

interface Part {
  /** Nodes of the doubled graph. */
  readonly hubs: number[];
  readonly authorities: number[];
}

/** Components with an edge, in order of their first node. */
function partsOf(twice: LayeredGraph): Part[] {
  const { of, sizes } = connectedComponents(twice);
  const parts = Array.from(sizes, (): Part => ({ hubs: [], authorities: [] }));
  of.forEach((component, node) => {
    const { hubs, authorities } = parts[component]!;
    (node < twice.nodeCount / 2 ? hubs : authorities).push(node);
  });
  return parts.filter((_, component) => sizes[component]! > 1);
}

/** Place of the part that carries the singular vector of the whole. */
function leading(components: readonly HitsComponent[], graph: LayeredGraph): number {
  const values = components.map(({ singularValue }) => singularValue);
  const [first, ...others] = leadingParts(values);
  if (others.length > 0) {
    const tied = others.length + 1;
    throw new AnalysisError(
      "ANALYSIS_UNDEFINED",
      `${tied} parts of the graph share the largest singular value, so that its vector is not unique`,
      {
        path: [graph.name],
        details: { singularValue: values[first!], tied },
        hint: 'Leave out compat "networkx": each part then has its own values.',
      },
    );
  }
  return first!;
}

/** As data. */
export const hitsMeasure: Measure = nodeMeasure({
  id: "hits",
  title: "Hubs and authorities",
  description: "Leading singular vectors of the edge weights, from senders to receivers; sum 1.",
  onRequest: true,
  parameters: [
    {
      name: "role",
      kind: "choice",
      choices: ["hub", "authority"],
      default: "authority",
      description: "The neuron as a sender or as a receiver.",
    },
    {
      name: "compat",
      kind: "choice",
      choices: ["none", "networkx"],
      default: "none",
      description: "Values of each part of the graph, or as networkx: of the strongest part alone.",
    },
    {
      name: "tolerance",
      kind: "number",
      integer: false,
      min: 0,
      max: 1,
      default: 1e-9,
      description: "Largest residual, relative to the singular value, that is accepted.",
    },
    {
      name: "maxIterations",
      kind: "number",
      integer: true,
      min: 1,
      max: Number.MAX_SAFE_INTEGER,
      default: 2000,
      description: "Most Lanczos steps, each a product with the matrix, for each part.",
    },
  ],
  compute: hits,
  facts: ({ singularValue, residual, iterations, components }) => ({
    singularValue,
    residual,
    iterations,
    components,
  }),
});
