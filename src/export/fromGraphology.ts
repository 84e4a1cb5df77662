/** A graphology graph as layers and dense blocks: the way back from `toGraphology`, and the way in for other graphs. */
import type { AbstractGraph, Attributes } from "graphology-types";
import { GraphError, WeightGraphError } from "../errors.ts";
import { assembleGraph, type Block, type LayeredGraph } from "../graph/layeredGraph.ts";
import type { EdgeWeight, GraphTransform } from "../graph/weighting.ts";
import { graphologyLayers, type GraphologyLayers } from "./graphologyLayers.ts";

export interface FromGraphologyOptions {
  /**
   * Node attribute that names the layer; null finds layers by the direction of the edges.
   * @defaultValue "layer", or null where no node has that
   */
  readonly layer?: string | null;
  /** Edge attribute that holds the weight; null weighs every edge 1. @defaultValue "weight" */
  readonly weight?: string | null;
  /** Edge attribute that names the block; edges without it are named after their layers. @defaultValue "block" */
  readonly block?: string;
  /** The most numbers that all blocks together may hold, zeros included. @defaultValue 2 ** 24 */
  readonly weightBudget?: number;
}

export interface FromGraphology {
  readonly graph: LayeredGraph;
  /** Key of each node, by node number: where the values of a measure belong. */
  readonly keys: readonly string[];
}

/**
 * The layers, nodes and weights of a graphology graph. Nodes are numbered layer after layer: by `rank` and `index` where every node
 * has both, as `toGraphology` gives them, else in the order of first mention. Directed edges run from the sending neuron to the receiving one, undirected ones from
 * the earlier layer to the later. Edges of one block name between the same two layers become one block of all their neurons,
 * zero where there is no edge, split into as many groups as its zeros allow; a parallel edge opens another block.
 *
 * `fromGraphology(toGraphology(graph))` has the nodes, layers and weights of `graph`. What a reduction left out is gone, the taps of
 * an edge stay one number, and a block that joined several layers comes back as one for each two of them.
 * Cost: O(nodes + edges · divisors of the layers' sizes), and 8 bytes for each number of the blocks, hence the budget.
 * @throws {GraphError} `GRAPH_MALFORMED` with the path of the first node or edge that does not fit; `GRAPH_TOO_LARGE`
 * @throws {WeightGraphError} `WEIGHTS_NOT_FINITE`
 */
export function fromGraphology(
  source: AbstractGraph,
  options: FromGraphologyOptions = {},
): FromGraphology {
  const known = source.someNode((_key, attributes) => "layer" in attributes) ? "layer" : null;
  const { layer = known, weightBudget = 2 ** 24 } = options;
  const placed = graphologyLayers(source, layer);
  const attributes: Attributes = source.getAttributes();
  const { name, certainty } = attributes;
  const title = typeof name === "string" ? name : "graphology";

  const shapes = gatheredBlocks(source, placed, options).map((gathered) => {
    const rows = placed.layers[gathered.to]!.size;
    const columns = placed.layers[gathered.from]!.size;
    return { ...gathered, rows, columns, groups: groupsOf(gathered.edges, rows, columns) };
  });
  const numbers = shapes.reduce(
    (sum, shape) => sum + (shape.rows * shape.columns) / shape.groups,
    0,
  );
  if (numbers > weightBudget) {
    throw new GraphError(
      "GRAPH_TOO_LARGE",
      `the blocks of these ${source.size} edges hold ${numbers} numbers, more than the ${weightBudget} that they may`,
      { path: [title], hint: "Raise `weightBudget`, or give the nodes smaller layers." },
    );
  }

  const starts: number[] = [];
  placed.layers.reduce((start, { size }) => (starts.push(start), start + size), 0);
  const blocks = shapes.map(({ name: own, from, to, rows, columns, groups, edges }): Block => {
    const perRow = columns / groups;
    const weights = new Float64Array(rows * perRow);
    for (const { row, column, weight } of edges) weights[row * perRow + (column % perRow)] = weight;
    const nodesOf = (which: number, count: number): Int32Array =>
      Int32Array.from({ length: count }, (_, i) => starts[which]! + i);
    const nodes = { rowNodes: nodesOf(to, rows), columnNodes: nodesOf(from, columns) };
    return { name: own, weights, rows, columns, groups, taps: 1, ...nodes };
  });
  const declared = placed.named && certainty !== "inferred";
  const graph = assembleGraph(title, placed.layers, blocks, declared ? "declared" : "inferred");
  return { graph: { ...graph, ...recordOf(attributes) }, keys: placed.keys };
}

/** What `toGraphology` says was done to the weights before. */
function recordOf({
  edgeWeight,
  transforms,
}: Attributes): Partial<Pick<LayeredGraph, "edgeWeight" | "transforms">> {
  const names: readonly unknown[] = ["norm", "sum", "absoluteSum"] satisfies EdgeWeight[];
  const isList = Array.isArray(transforms) && transforms.every((one) => typeof one === "string");
  return {
    ...(names.includes(edgeWeight) && { edgeWeight: edgeWeight as EdgeWeight }),
    ...(isList && { transforms: transforms as GraphTransform[] }),
  };
}

interface GatheredEdge {
  readonly row: number;
  readonly column: number;
  readonly weight: number;
}

interface GatheredBlock {
  readonly name: string;
  /** Numbers of layers. */
  readonly from: number;
  readonly to: number;
  readonly edges: readonly GatheredEdge[];
}

/** In the order of their first edges. */
function gatheredBlocks(
  source: AbstractGraph,
  { layers, places }: GraphologyLayers,
  { weight: weightName = "weight", block: blockName = "block" }: FromGraphologyOptions,
): readonly GatheredBlock[] {
  const gathered = new Map<string, GatheredBlock & { readonly edges: GatheredEdge[] }>();
  /** How many edges of a block join two nodes so far. */
  const met = new Map<string, number>();
  source.forEachEdge((edge, attributes, sourceKey, targetKey) => {
    let from = places.get(sourceKey)!;
    let to = places.get(targetKey)!;
    if (source.isUndirected(edge)) {
      if (from.layer === to.layer) {
        throw malformed("an undirected edge within a layer has no direction", ["edges", edge]);
      }
      if (from.layer > to.layer) [from, to] = [to, from];
    }
    const weight = weightName === null ? 1 : weightOf(attributes, weightName, edge);
    const given: unknown = attributes[blockName];
    const name =
      typeof given === "string"
        ? given
        : `${layers[from.layer]!.name} to ${layers[to.layer]!.name}`;
    const ends = JSON.stringify([name, from.layer, to.layer, from.index, to.index]);
    const parallel = met.get(ends) ?? 0;
    met.set(ends, parallel + 1);
    const id = JSON.stringify([name, from.layer, to.layer, parallel]);
    const block = gathered.get(id) ?? { name, from: from.layer, to: to.layer, edges: [] };
    block.edges.push({ row: to.index, column: from.index, weight });
    gathered.set(id, block);
  });
  return [...gathered.values()];
}

function weightOf(attributes: Attributes, name: string, edge: string): number {
  const weight: unknown = attributes[name];
  const path = ["edges", edge, name];
  if (typeof weight !== "number") {
    throw new GraphError("GRAPH_MALFORMED", "the edge has no number there", {
      path,
      hint: "Name the edge attribute that holds the weight (`weight`), or null to weigh every edge 1.",
    });
  }
  if (Number.isFinite(weight)) return weight;
  throw new WeightGraphError("WEIGHTS_NOT_FINITE", `the weight is ${weight}`, { path });
}

/** The most groups of equal size, rows and columns in step, that leave no edge between two groups. */
function groupsOf(edges: readonly GatheredEdge[], rows: number, columns: number): number {
  for (let groups = Math.min(rows, columns); groups > 1; groups--) {
    if (rows % groups !== 0 || columns % groups !== 0) continue;
    const [high, wide] = [rows / groups, columns / groups];
    const apart = ({ row, column }: GatheredEdge): boolean =>
      Math.floor(row / high) !== Math.floor(column / wide);
    if (!edges.some(apart)) return groups;
  }
  return 1;
}

function malformed(message: string, path: readonly string[]): GraphError {
  return new GraphError("GRAPH_MALFORMED", message, { path });
}
