import { GraphError } from "../errors.ts";
import { allocateWeights } from "../kernels/weightArena.ts";
import { headLookup, type HeadPart } from "../model/attentionHeads.ts";
import type { Topology } from "../model/topology.ts";
import type { FloatArray } from "../tensor/dtype.ts";
import { blockFrame, noWeights, type Block } from "./block.ts";
import { scratchBytes, type LayeredGraph } from "./layeredGraph.ts";

/**
 * The graph with a block per attention head in the place of each block that leads to queries, keys or values, or from what the
 * values put out (`Block.head`), named `NAME query head 3`. Neurons and edges are the same, so that measures of neurons do not
 * change, and measures of blocks tell of each head. Taken after bias and normalisation nodes are added, if any.
 * Blocks of rows are views of the weights, those of columns copies.
 * Cost: O(nodes), and one copy of the output projections.
 * Source: Vaswani et al. 2017, arXiv 1706.03762, section 3.2.2: a head has its own projections, and its own rows of the output's.
 * @throws {GraphError} `GRAPH_HEADS_UNKNOWN` where the model tells of none, `GRAPH_WEIGHTS_NOT_KEPT` for a graph of sums
 */
export function splitHeads(
  graph: LayeredGraph,
  { attention }: Pick<Topology, "attention">,
  { threads = 1 }: { readonly threads?: number } = {},
): LayeredGraph {
  if (attention === undefined) {
    throw new GraphError("GRAPH_HEADS_UNKNOWN", "no attention layer whose heads are known", {
      path: [graph.name],
      hint: "A file of weights alone does not say how many heads there are; config.json beside it does.",
    });
  }
  const lookup = headLookup([...attention, ...behindNormalisation(graph, attention)]);
  const parted = graph.blocks.map((block) => {
    const isPlain = block.kind === undefined && block.groups === 1;
    return { block, parts: isPlain ? lookup.partsOf(block.rowNodes, block.columnNodes) : null };
  });
  const counts = parted.flatMap(({ block, parts }) =>
    (parts ?? []).map((part) => (needsRoom(block, part) ? edgesOf(block, part) * block.taps : 0)),
  );
  const rooms = allocateWeights(counts, scratchBytes(graph.nodeCount, counts), { threads });
  let next = 0;
  const blocks = parted.flatMap(({ block, parts }) =>
    parts === null ? [block] : parts.map((part) => ofHead(block, part, rooms[next++]!)),
  );
  return { ...graph, blocks };
}

/** The nodes of a normalisation belong to the heads of the neurons that they lead to. */
function behindNormalisation(
  { blocks }: LayeredGraph,
  attention: NonNullable<Topology["attention"]>,
): NonNullable<Topology["attention"]> {
  const before = new Map<number, number>();
  for (const { kind, rowNodes, columnNodes } of blocks) {
    if (kind === "normalisation") rowNodes.forEach((row, i) => before.set(row, columnNodes[i]!));
  }
  return attention
    .filter(({ ids }) => ids.every((id) => before.has(id)))
    .map((own) => ({ ...own, ids: own.ids.map((id) => before.get(id)!) }));
}

function isOutput({ head }: HeadPart): boolean {
  return head.role === "output";
}

/** Rows that follow one another are a view. */
function isRun({ at }: HeadPart): boolean {
  return at.length === at.at(-1)! - at[0]! + 1;
}

function needsRoom({ weights }: Block, part: HeadPart): boolean {
  return weights instanceof Float32Array && (isOutput(part) || !isRun(part));
}

function edgesOf({ rows, columns }: Block, part: HeadPart): number {
  return part.at.length * (isOutput(part) ? rows : columns);
}

function ofHead(block: Block, part: HeadPart, room: Float32Array): Block {
  const { head, at } = part;
  const { collapsed, taps } = block;
  if (block.weights === null && collapsed === undefined) noWeights(block);
  const pick = (ids: Int32Array): Int32Array => Int32Array.from(at, (place) => ids[place]!);
  const own = isOutput(part)
    ? { columns: at.length, columnNodes: pick(block.columnNodes) }
    : { rows: at.length, rowNodes: pick(block.rowNodes) };
  const cut = <T extends FloatArray>(values: T, size: number, target?: T): T =>
    cutOut(values, { block, part, size }, target);
  return {
    ...blockFrame(block),
    ...own,
    name: `${block.name} ${head.role} head ${head.index}`,
    head,
    weights: block.weights && cut(block.weights, taps, needsRoom(block, part) ? room : undefined),
    ...(collapsed && {
      collapsed: {
        norm: cut(collapsed.norm, 1),
        positiveSum: cut(collapsed.positiveSum, 1),
        negativeSum: cut(collapsed.negativeSum, 1),
      },
    }),
  };
}

/** The rows or columns of `part` of values [rows, columns, size]: a view where rows follow one another, else copied to `target`. */
function cutOut<T extends FloatArray>(
  values: T,
  { block, part, size }: { block: Block; part: HeadPart; size: number },
  target?: T,
): T {
  const { rows, columns } = block;
  const { at } = part;
  const line = columns * size;
  if (!isOutput(part) && isRun(part)) {
    return values.subarray(at[0]! * line, (at.at(-1)! + 1) * line) as T;
  }
  const copy = target ?? (values.slice(0, edgesOf(block, part) * size) as T);
  if (!isOutput(part)) {
    at.forEach((row, i) => copy.set(values.subarray(row * line, (row + 1) * line), i * line));
    return copy;
  }
  for (let row = 0, to = 0; row < rows; row++) {
    for (const column of at) {
      for (let i = 0; i < size; i++) copy[to++] = values[row * line + column * size + i]!;
    }
  }
  return copy;
}
