/** Layers of a graphology graph: by a node attribute, or by the direction of the edges. */
import type { AbstractGraph, Attributes } from "graphology-types";
import { GraphError } from "../errors.ts";

interface NodePlace {
  /** Number of the layer. */
  readonly layer: number;
  /** Place within the layer. */
  readonly index: number;
}

export interface GraphologyLayers {
  readonly layers: readonly { readonly name: string; readonly size: number }[];
  /** Key of each node, layer after layer. */
  readonly keys: readonly string[];
  /** By key. */
  readonly places: ReadonlyMap<string, NodePlace>;
  /** False where the layers were found by direction. */
  readonly named: boolean;
}

/**
 * With `attribute` null, layer _n_ holds the nodes to which the longest path has _n_ edges. Layers and their nodes stand in the
 * order of first mention, unless every node has numbers as `rank` and `index`, as `toGraphology` gives them: these are then the
 * places, and two ranks of one name are two layers.
 * Cost: O(nodes log nodes + edges).
 * @throws {GraphError} `GRAPH_MALFORMED`
 */
export function graphologyLayers(graph: AbstractGraph, attribute: string | null): GraphologyLayers {
  const levels = attribute === null ? longestPaths(graph) : null;
  const numbered =
    levels === null &&
    graph.everyNode((_key, { rank, index }) => Number.isFinite(rank) && Number.isFinite(index));
  const found = new Map<string, { name: string; rank: number; members: string[] }>();
  graph.forEachNode((key, attributes) => {
    const rank = levels?.get(key) ?? (numbered ? (attributes["rank"] as number) : 0);
    const name = levels === null ? layerName(attributes, attribute!, key) : `layer${rank}`;
    const id = JSON.stringify([rank, name]);
    const layer = found.get(id) ?? { name, rank, members: [] };
    layer.members.push(key);
    found.set(id, layer);
  });
  const layers = [...found.values()].sort((a, b) => a.rank - b.rank);
  if (numbered) {
    const indexOf = (key: string): number => graph.getNodeAttribute(key, "index") as number;
    for (const { members } of layers) members.sort((a, b) => indexOf(a) - indexOf(b));
  }
  const places = new Map<string, NodePlace>();
  layers.forEach(({ members }, layer) =>
    members.forEach((key, index) => places.set(key, { layer, index })),
  );
  return {
    layers: layers.map(({ name, members }) => ({ name, size: members.length })),
    keys: layers.flatMap(({ members }) => members),
    places,
    named: levels === null,
  };
}

function layerName(attributes: Attributes, attribute: string, key: string): string {
  const name: unknown = attributes[attribute];
  if (typeof name === "string" || Number.isFinite(name)) return String(name);
  throw new GraphError("GRAPH_MALFORMED", `${attribute} does not name a layer`, {
    path: ["nodes", key, attribute],
  });
}

/** How many edges the longest path to each node has. */
function longestPaths(graph: AbstractGraph): ReadonlyMap<string, number> {
  if (graph.undirectedSize > 0)
    throw undecided("an undirected edge does not say which end is first");
  const lengths = new Map<string, number>(graph.mapNodes((key) => [key, 0]));
  const waiting = new Map<string, number>(graph.mapNodes((key) => [key, graph.inDegree(key)]));
  const ready = graph.filterNodes((key) => waiting.get(key) === 0);
  for (let from = ready.pop(); from !== undefined; from = ready.pop()) {
    waiting.delete(from);
    const length = lengths.get(from)! + 1;
    graph.forEachOutEdge(from, (_edge, _attributes, _from, to) => {
      lengths.set(to, Math.max(lengths.get(to)!, length));
      const left = waiting.get(to)! - 1;
      waiting.set(to, left);
      if (left === 0) ready.push(to);
    });
  }
  const [stuck] = waiting.keys();
  if (stuck !== undefined) throw undecided("the node lies on a cycle or behind one", [stuck]);
  return lengths;
}

function undecided(message: string, path: readonly string[] = []): GraphError {
  return new GraphError("GRAPH_MALFORMED", message, {
    path: ["nodes", ...path],
    hint: "Give every node its layer as an attribute, and name that (`layer`).",
  });
}
