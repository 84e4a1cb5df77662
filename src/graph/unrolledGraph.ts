/**
 * The unrolled graph: a node per activation, an edge per use of a weight. A convolution's kernel stands once and its geometry
 * beside it, so that the graph needs no more memory than the rolled one; strengths come from that form
 * (`unrolledStrength`), edges are walked or laid out only on demand and below a limit.
 *
 * Weights are signed. A max pooling has an edge of weight 1 from every activation of a window, an average pooling one of its
 * share. Taps in the padding are no edges. A residual sum makes one node of its two terms.
 * Source: Gebhart, Schrater and Hylton 2019, arXiv 1901.09496 (graphs of activations); Vahedian et al. 2022,
 * doi 10.1145/3511808.3557628.
 * Golden: docs/measures/unrolled.md: a 2 x 2 kernel on 3 x 3 pixels by hand; LeNet on 3 x 32 x 32: 11,166 nodes, 658,024 edges.
 */
import { GraphError, UsageError } from "../errors.ts";
import type { Model } from "../model/model.ts";
import type { FloatArray } from "../tensor/dtype.ts";
import { toCanonical } from "../tensor/layout.ts";
import { elementCount } from "../tensor/shape.ts";
import { checkFinite } from "./checkFinite.ts";
import { assembleGraph, type Block, type LayeredGraph } from "./layeredGraph.ts";
import { planUnrolled } from "./planUnrolled.ts";
import { unrolledPatches } from "./unrolledPatches.ts";
import type { UnrolledLink, UnrolledOptions, UnrolledPlan } from "./unrolledPlan.ts";

/** A plan with its weights. */
export interface UnrolledGraph extends UnrolledPlan {
  /** Of each link, [groups, rows / groups, columns / groups, taps]. */
  readonly kernels: readonly FloatArray[];
}

/** Nodes that a vector of float64 is made for. */
const nodeLimit = 2 ** 30;

/**
 * Cost: one read of each weight tensor.
 * @throws see `planUnrolled`; {GraphError} `GRAPH_TOO_LARGE`; {WeightGraphError} `WEIGHTS_NOT_FINITE`; {FormatError} of the reader.
 */
export async function unrolledGraph(
  model: Model,
  options: UnrolledOptions = {},
): Promise<UnrolledGraph> {
  const plan = planUnrolled(model, options);
  if (plan.nodeCount > nodeLimit) {
    throw new GraphError("GRAPH_TOO_LARGE", `${plan.nodeCount} nodes, over ${nodeLimit}`, {
      path: [model.name],
      details: { nodes: plan.nodeCount, edges: plan.edgeCount },
    });
  }
  const kernels: FloatArray[] = [];
  for (const link of plan.links) {
    if ("pooling" in link.weights) kernels.push(poolingKernel(link));
    else {
      const { layer, layout } = link.weights;
      const weights = toCanonical(await layer.tensor.read(), layout);
      checkFinite(weights, [model.name, layer.name]);
      kernels.push(weights);
    }
  }
  return { ...plan, kernels };
}

/** 1, or the share of a tap in an average that counts padding; other averages take theirs window by window. */
function poolingKernel({ groups, axes, weights }: UnrolledLink): FloatArray {
  const taps = elementCount(axes.map(({ kernel }) => kernel));
  const isShare = "pooling" in weights && weights.pooling === "average" && weights.countsPadding;
  return new Float64Array(elementCount([groups, taps])).fill(isShare ? 1 / taps : 1);
}

/** The most edges that are laid out unless told otherwise. */
export const defaultMaxEdges: number = 20_000_000;

export interface MaterialiseOptions {
  /** The most edges, and nodes, to lay out. @defaultValue 20,000,000 */
  readonly maxEdges?: number;
}

/**
 * The graph in the form that every measure reads: a block for each output position, whose weights are the kernel itself
 * wherever no tap falls into the padding. Cost: the nodes of each window, 4 bytes each; measures add up to 8 bytes an edge.
 * @throws {GraphError} `GRAPH_TOO_LARGE`, with the sizes in its details; {UsageError} `USAGE_INVALID_OPTION`
 */
export function materialiseUnrolled(
  graph: UnrolledGraph,
  { maxEdges = defaultMaxEdges }: MaterialiseOptions = {},
): LayeredGraph {
  requireRoom(graph, maxEdges);
  const blocks = graph.links.flatMap((link, i) =>
    Array.from(unrolledPatches(link, graph.kernels[i]!), (patch): Block => ({
      name: link.name,
      weights: patch.weights,
      rows: patch.rows.length,
      columns: patch.columns.length,
      groups: patch.groups,
      taps: 1,
      rowNodes: patch.rows,
      columnNodes: patch.columns,
    })),
  );
  return assembleGraph(graph.name, graph.layers, blocks, graph.certainty);
}

/** @throws {GraphError} `GRAPH_TOO_LARGE`; {UsageError} `USAGE_INVALID_OPTION` */
function requireRoom(plan: UnrolledPlan, maxEdges: number): void {
  if (!(maxEdges >= 0 && maxEdges <= 2 ** 31)) {
    throw new UsageError(
      "USAGE_INVALID_OPTION",
      `maxEdges must be from 0 to 2^31, not ${maxEdges}`,
      {
        path: ["maxEdges"],
      },
    );
  }
  const { nodeCount, edgeCount, name } = plan;
  if (edgeCount <= maxEdges && nodeCount <= maxEdges) return;
  throw new GraphError(
    "GRAPH_TOO_LARGE",
    `${nodeCount} nodes and ${edgeCount} edges, over ${maxEdges}`,
    {
      path: [name],
      details: { nodes: nodeCount, edges: edgeCount, maxEdges },
      hint: "Strength and weighted degree need no edges; for other measures raise the limit or take the rolled graph.",
    },
  );
}

/** Visits every edge, zero weights too, a window after the other. Cost: O(edges) time, O(window) memory. */
export function forEachUnrolledEdge(
  graph: UnrolledGraph,
  visit: (from: number, to: number, weight: number) => void,
): void {
  graph.links.forEach((link, i) => {
    for (const { rows, columns, weights, groups } of unrolledPatches(link, graph.kernels[i]!)) {
      const width = columns.length / groups;
      const height = rows.length / groups;
      rows.forEach((to, row) => {
        const first = Math.floor(row / height) * width;
        for (let c = 0; c < width; c++) visit(columns[first + c]!, to, weights[row * width + c]!);
      });
    }
  });
}
