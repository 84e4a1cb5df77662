/** What a command says of a graph besides its measures. */
import type { Components, LayeredGraph } from "../src/index.ts";
import { numberText, printable } from "./render.ts";

/** The `graph` of an analysis, for JSON; `components` are null where its edges are not laid out. */
export function graphFacts(
  graph: LayeredGraph,
  components: Components | null,
): Record<string, unknown> {
  return {
    name: graph.name,
    layers: graph.layers.map(({ name, size }) => ({ name, size })),
    nodes: graph.nodeCount,
    edges: graph.edgeCount,
    edgesNonzero: components?.nonZeroEdges ?? null,
    components: components?.sizes.length ?? null,
    componentSizes: components && sizeCounts(components.sizes),
    topology: graph.certainty,
    edgeWeight: graph.edgeWeight,
    transforms: graph.transforms,
    biasNodes: biasNodesOf(graph),
    foldedNormalisation: graph.folded ?? [],
    normalisationNodes: normalisationNodesOf(graph),
    headBlocks: headBlocksOf(graph),
    recurrent: {
      included: graph.blocks.some(({ kind }) => kind === "recurrent"),
      blocks: graph.recurrentBlocks.map(({ name, rows, columns, groups, taps, rowNodes }) => ({
        name,
        layer: graph.layers.findLastIndex(({ offset }) => offset <= rowNodes[0]!),
        rows,
        columns,
        groups,
        taps,
      })),
    },
  };
}

function biasNodesOf({ blocks }: LayeredGraph): number {
  const nodes = blocks.flatMap(({ kind, columnNodes }) =>
    kind === "bias" ? [columnNodes[0]] : [],
  );
  return new Set(nodes).size;
}

function normalisationNodesOf({ blocks }: LayeredGraph): number {
  const own = blocks.filter(({ kind }) => kind === "normalisation");
  return own.reduce((sum, { columns }) => sum + columns, 0);
}

function headBlocksOf({ blocks }: LayeredGraph): number {
  return blocks.filter(({ head }) => head !== undefined).length;
}

/** How many components there are of each size, the largest first. */
function sizeCounts(sizes: Int32Array): { nodes: number; components: number }[] {
  const counts = new Map<number, number>();
  for (const size of sizes.toSorted().reverse()) counts.set(size, (counts.get(size) ?? 0) + 1);
  return Array.from(counts, ([nodes, components]) => ({ nodes, components }));
}

/** The same in a few lines of text. */
export function graphLines(graph: LayeredGraph, components: Components | null): string[] {
  const layers = graph.layers.map(({ size }) => numberText(size)).join(" – ");
  const parts = [
    `${numberText(graph.nodeCount)} neurons, ${numberText(graph.edgeCount)} edges`,
    `${components?.sizes.length ?? "uncounted"} components`,
    `topology ${graph.certainty}`,
  ];
  if (graph.edgeWeight !== "norm") parts.push(`edge weight ${graph.edgeWeight}`);
  const recurrent = graph.recurrentBlocks.length;
  if (recurrent > 0) {
    const isIn = graph.blocks.some(({ kind }) => kind === "recurrent");
    parts.push(`${recurrent} recurrent blocks ${isIn ? "included" : "left out"}`);
  }
  const asked = [
    [biasNodesOf(graph), "bias nodes"],
    [normalisationNodesOf(graph), "normalisation nodes"],
    [graph.folded?.length ?? 0, "normalisations folded"],
    [headBlocksOf(graph), "blocks of attention heads"],
  ] as const;
  for (const [count, what] of asked) if (count > 0) parts.push(`${numberText(count)} ${what}`);
  if (graph.transforms.length > 0) parts.push(graph.transforms.join(", "));
  return [
    `${printable(graph.name)}: ${graph.layers.length} layers of neurons: ${layers}`,
    parts.join(", "),
  ];
}

/** `layer[place]` of a node. */
export function nodeNames({ layers }: LayeredGraph): (node: number) => string {
  return (node) => {
    const layer = layers.findLast(({ offset }) => offset <= node);
    return layer === undefined ? String(node) : `${layer.name}[${node - layer.offset}]`;
  };
}
