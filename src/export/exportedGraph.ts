/** What every graph library is given: the same nodes, the same edges, the same account of what was left out. */
import { GraphError, ShapeError, UsageError } from "../errors.ts";
import type { Block, TapReduction } from "../graph/block.ts";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import { reduceGraph, type ReducedGraph } from "../graph/reduce.ts";
import { edgeAttributes, type EdgeAttributes } from "./edgeAttributes.ts";
import { layerColumns } from "./layerColumns.ts";

export interface ExportOptions {
  /** Columns of numbers in node order, by the name that they get in the target; null where a measure has no value. */
  readonly measures?: Readonly<Record<string, ArrayLike<number | null>>>;
  /** The most edges to hand over. @defaultValue 200000 */
  readonly edgeBudget?: number;
  /** Hand over the strongest edges of a graph that has more, instead of refusing it. @defaultValue false */
  readonly reduce?: boolean;
  /** `absolute` for algorithms that ask for non-negative weights. @defaultValue "signed" */
  readonly weight?: "signed" | "absolute";
  /** Edges carry `kind`, `taps`, `positive`, `negative` and `norm` beside their weight. @defaultValue false */
  readonly edgeAttributes?: boolean;
}

export interface ExportedNode {
  /** `layer[index]` */
  readonly label: string;
  /** Name of the layer. */
  readonly layer: string;
  /** Number of the layer, from 0. */
  readonly rank: number;
  /** Place within the layer, from 0. */
  readonly index: number;
  /** Where a picture puts it: layers from left to right, y upwards as in sigma and Gephi. */
  readonly x: number;
  readonly y: number;
  /** One per measure that has a value here. */
  readonly [measure: string]: string | number;
}

/** With the attributes that `edgeAttributes` asks for. */
export interface ExportedEdge extends Partial<EdgeAttributes> {
  readonly weight: number;
  /** Name of the block of weights that the edge is of. */
  readonly block: string;
}

/** Facts about the graph as a whole. */
export interface ExportedFacts {
  readonly name: string;
  readonly certainty: LayeredGraph["certainty"];
  /** Edges of the graph, zero weights included. */
  readonly edges: number;
  /** Edges handed over; those of weight zero never are. */
  readonly keptEdges: number;
  /** Sum of |weight| over the edges handed over, divided by that over all. */
  readonly keptShare: number;
  /** How taps became one weight, in words. */
  readonly weight: string;
  /** The same by name. */
  readonly edgeWeight: LayeredGraph["edgeWeight"];
  /** What was done to the weights before, in order. */
  readonly transforms: LayeredGraph["transforms"];
}

export interface ExportedGraph {
  /** In node order. */
  readonly nodes: readonly ExportedNode[];
  readonly edges: Pick<ReducedGraph, "from" | "to" | "weight">;
  /** Name of the block that edge `i` belongs to. */
  readonly blockOf: (edge: number) => string;
  /** What edge `i` carries, worked out when it is asked for. */
  readonly edgeOf: (edge: number) => ExportedEdge;
  /** True when two edges join the same two nodes. */
  readonly parallel: boolean;
  readonly facts: ExportedFacts;
}

/**
 * Cost: one pass over the weights; memory of the nodes and of the edges that are kept.
 * @throws {GraphError} `GRAPH_TOO_LARGE` for more edges than the budget, unless `reduce` is set; {ShapeError} `SHAPE_MISMATCH`
 *   for a measure of another length; {UsageError} `USAGE_INVALID_OPTION` for a budget that is no whole number or a measure with a
 *   name that nodes use themselves.
 */
export function exportedGraph(graph: LayeredGraph, options: ExportOptions = {}): ExportedGraph {
  const { measures = {}, weight = "signed" } = options;
  const reduced = withinBudget(graph, options);
  const weights = weight === "signed" ? reduced.weight : reduced.weight.map(Math.abs);
  const blockAt = (edge: number): Block => graph.blocks[reduced.block[edge]!]!;
  return {
    nodes: exportedNodes(graph, measures),
    edges: { from: reduced.from, to: reduced.to, weight: weights },
    blockOf: (edge) => blockAt(edge).name,
    edgeOf: (edge) => ({
      weight: weights[edge]!,
      block: blockAt(edge).name,
      ...(options.edgeAttributes === true &&
        edgeAttributes(graph, blockAt(edge), reduced.place[edge]!)),
    }),
    parallel: hasParallel(reduced, graph.nodeCount),
    facts: {
      name: graph.name,
      certainty: graph.certainty,
      edges: graph.edgeCount,
      keptEdges: reduced.from.length,
      keptShare: reduced.keptShare,
      weight: weightInWords(graph.edgeWeight, weight),
      edgeWeight: graph.edgeWeight,
      transforms: graph.transforms,
    },
  };
}

function weightInWords(
  edgeWeight: LayeredGraph["edgeWeight"],
  weight: "signed" | "absolute",
): string {
  if (edgeWeight === "sum") return `${weight === "signed" ? "" : "magnitude of the "}sum over taps`;
  const magnitude = edgeWeight === "norm" ? "L2 norm" : "absolute sum";
  return `${magnitude} over taps${weight === "signed" ? ", with the sign of their sum" : ""}`;
}

/** The edges that may be handed over. @throws {GraphError} `GRAPH_TOO_LARGE`; {UsageError} `USAGE_INVALID_OPTION` */
export function withinBudget(
  graph: LayeredGraph,
  { edgeBudget = 200_000, reduce = false }: Pick<ExportOptions, "edgeBudget" | "reduce">,
  taps: TapReduction = "norm",
): ReducedGraph {
  if (graph.edgeCount > edgeBudget && !reduce) {
    throw new GraphError(
      "GRAPH_TOO_LARGE",
      `${graph.edgeCount} edges are more than the ${edgeBudget} that may be handed over`,
      { path: [graph.name], hint: "Raise the edge budget, or ask for the strongest edges only." },
    );
  }
  return reduceGraph(graph, { edgeBudget, taps });
}

/** What a node is called beside its measures. */
const ownNames: readonly string[] = ["node", "label", "layer", "rank", "index", "x", "y"];

/** In node order. @throws {ShapeError} `SHAPE_MISMATCH`; {UsageError} `USAGE_INVALID_OPTION` for a measure with a name of ours. */
export function exportedNodes(
  { name, layers, nodeCount }: LayeredGraph,
  measures: Readonly<Record<string, ArrayLike<number | null>>>,
): ExportedNode[] {
  const columns = Object.entries(measures);
  for (const [id, { length }] of columns) {
    if (length !== nodeCount) {
      throw new ShapeError("SHAPE_MISMATCH", `${id} has ${length} values, not ${nodeCount}`, {
        path: [name, "measures", id],
      });
    }
    if (ownNames.includes(id)) {
      throw new UsageError("USAGE_INVALID_OPTION", `a measure cannot be called ${id}`, {
        path: [name, "measures", id],
      });
    }
  }
  const places = layerColumns(layers);
  return layers.flatMap(({ name: layer, offset, size }, rank) =>
    Array.from({ length: size }, (_, index): ExportedNode => {
      const values = columns.flatMap(([id, column]) => {
        const value = column[offset + index] ?? null;
        return value === null ? [] : [[id, value] as const];
      });
      const place = { x: places.x[offset + index]!, y: places.height - places.y[offset + index]! };
      const own = { label: `${layer}[${index}]`, layer, rank, index, ...place };
      return { ...Object.fromEntries(values), ...own };
    }),
  );
}

function hasParallel({ from, to }: ReducedGraph, nodeCount: number): boolean {
  const seen = new Set<number>();
  return from.some((node, edge) => {
    const low = Math.min(node, to[edge]!);
    const key = low * nodeCount + Math.max(node, to[edge]!);
    if (seen.has(key)) return true;
    seen.add(key);
    return false;
  });
}
