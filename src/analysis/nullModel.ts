/**
 * Null models: the graph with random weights in place of its own, for the measures to be held against (`nullTally`).
 *
 * `permuted`: the edges of each block in another order, each with all its taps, so that what depends on where weights stand is
 * lost and their distribution stays, zeros included. The rest draw every weight afresh: `kaiming-normal` and `kaiming-uniform` with
 * variance 2 / fanIn, `xavier-normal` and `xavier-uniform` with 2 / (fanIn + fanOut), `torch-default` uniform within 1 / sqrt(fanIn),
 * fans being columns and rows of a group times taps, biases 0; `matched` normal with the mean and standard deviation of the block's own
 * weights. Where only what taps come to is kept, taps are drawn, as float32, and collapsed. So the edges are the same (drawn ones to
 * rounding) whether taps are kept or not.
 * Each block of each sample has a random stream of its own, named after both: more samples do not change the first ones.
 * Cost: one copy of the weights for all samples, where kernels reach it; O(weights) a sample.
 * Source: He et al. 2015, arXiv 1502.01852, eq. 10; Glorot and Bengio 2010, AISTATS, eq. 12 and 16; documentation of
 * torch.nn.Linear and torch.nn.Conv2d.
 */
import { UsageError } from "../errors.ts";
import { blockFrame, noWeights, tapNorm, type CollapsedTaps } from "../graph/block.ts";
import { scratchBytes, type Block, type LayeredGraph } from "../graph/layeredGraph.ts";
import { allocateWeights } from "../kernels/weightArena.ts";
import { createRandom, shuffle, type Random } from "../random.ts";
import { requireNumber, requireOneOf } from "./options.ts";

export const nullModels = [
  "permuted",
  "kaiming-normal",
  "kaiming-uniform",
  "xavier-normal",
  "xavier-uniform",
  "torch-default",
  "matched",
] as const;
export type NullModel = (typeof nullModels)[number];

export interface NullModelOptions {
  /** @defaultValue "permuted" */
  readonly model?: NullModel;
  /** @defaultValue 0 */
  readonly seed?: number;
  /** As in `layeredGraph`. @defaultValue 1 */
  readonly threads?: number;
}

/**
 * Sample number `index` of a null model of `graph`. Every sample lies in the same memory: one is valid until the next is drawn.
 * The graph is to be as read: draws know nothing of transforms, which may follow (`weighEdges`, `transformGraph`).
 * @throws {GraphError} `GRAPH_WEIGHTS_NOT_KEPT`
 * @throws {UsageError} `USAGE_INVALID_OPTION`, for weights to be drawn for a transformed graph too
 */
export function nullSampler(
  graph: LayeredGraph,
  { model = "permuted", seed = 0, threads = 1 }: NullModelOptions = {},
): (index: number) => LayeredGraph {
  requireOneOf("model", model, nullModels);
  if (model !== "permuted" && (graph.edgeWeight !== "norm" || graph.transforms.length > 0)) {
    throw new UsageError("USAGE_INVALID_OPTION", "weights cannot be drawn for transformed edges", {
      path: [graph.name],
      hint: "Draw for the graph as it was read, and transform the samples.",
    });
  }
  const { blocks, nodeCount } = graph;
  const counts = blocks.map(({ weights }) =>
    weights instanceof Float32Array ? weights.length : 0,
  );
  const rooms = allocateWeights(counts, scratchBytes(nodeCount, counts), { threads });
  const fillers = blocks.map((block, i) =>
    model === "permuted" ? permuting(block, rooms[i]!) : drawing(block, rooms[i]!, model),
  );
  const root = createRandom(seed);
  return (index) => {
    requireNumber("index", index, { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true });
    const random = root.fork(`sample ${index}`);
    return { ...graph, blocks: fillers.map((fill, i) => fill(random.fork(`block ${i}`))) };
  };
}

/** Fills the room of a block anew. The block is a new one each time, since what is known of a block goes by its object. */
type Filler = (random: Random) => Block;

function permuting(block: Block, narrow: Float32Array): Filler {
  const { weights, collapsed, taps } = block;
  const shape = blockFrame(block);
  if (weights !== null && taps === 1) {
    const room = weights instanceof Float32Array ? narrow : new Float64Array(weights.length);
    return (random) => {
      room.set(weights);
      return { ...shape, weights: shuffle(room, random) };
    };
  }
  const order = new Int32Array(weights === null ? edgesOf(block) : weights.length / taps);
  const shuffled = (random: Random): Int32Array => {
    for (let edge = 0; edge < order.length; edge++) order[edge] = edge;
    return shuffle(order, random);
  };
  if (weights !== null) {
    const room = weights instanceof Float32Array ? narrow : new Float64Array(weights.length);
    return (random) => {
      shuffled(random).forEach((from, to) => {
        for (let tap = 0; tap < taps; tap++) room[to * taps + tap] = weights[from * taps + tap]!;
      });
      return { ...shape, weights: room };
    };
  }
  const own = collapsed ?? noWeights(block);
  const room = collapsedRoom(order.length);
  return (random) => {
    shuffled(random).forEach((from, to) => {
      room.norm[to] = own.norm[from]!;
      room.positiveSum[to] = own.positiveSum[from]!;
      room.negativeSum[to] = own.negativeSum[from]!;
    });
    return { ...shape, weights: null, collapsed: room };
  };
}

function drawing(
  block: Block,
  narrow: Float32Array,
  model: Exclude<NullModel, "permuted">,
): Filler {
  const { weights, collapsed, taps } = block;
  if (weights === null && collapsed === undefined) noWeights(block);
  const shape = blockFrame(block);
  const draw = drawOf(block, model);
  if (weights !== null) {
    const room = weights instanceof Float32Array ? narrow : new Float64Array(weights.length);
    return (random) => {
      for (let i = 0; i < room.length; i++) room[i] = draw(random);
      return { ...shape, weights: room };
    };
  }
  const room = collapsedRoom(edgesOf(block));
  const kernel = new Float32Array(taps);
  return (random) => {
    for (let edge = 0; edge < room.norm.length; edge++) {
      let positive = 0;
      let negative = 0;
      for (let tap = 0; tap < taps; tap++) {
        kernel[tap] = draw(random);
        const weight = kernel[tap]!;
        if (weight > 0) positive += weight;
        else negative -= weight;
      }
      room.norm[edge] = tapNorm(kernel, 0, taps);
      room.positiveSum[edge] = positive;
      room.negativeSum[edge] = negative;
    }
    return { ...shape, weights: null, collapsed: room };
  };
}

function drawOf(block: Block, model: Exclude<NullModel, "permuted">): (random: Random) => number {
  if (model === "matched") {
    const { mean, std } = spreadOf(block);
    return (random) => mean + std * random.normal();
  }
  if (block.kind === "bias") return () => 0;
  if (block.kind === "normalisation") return () => 1;
  const { rows, columns, groups, taps } = block;
  const fanIn = (columns / groups) * taps;
  const fanOut = (rows / groups) * taps;
  const variance = {
    kaiming: 2 / fanIn,
    xavier: 2 / (fanIn + fanOut),
    torch: 1 / (3 * fanIn),
  }[model.split("-", 1)[0] as "kaiming" | "xavier" | "torch"];
  if (model.endsWith("normal")) return (random) => Math.sqrt(variance) * random.normal();
  const bound = Math.sqrt(3 * variance);
  return (random) => bound * (2 * random.uniform() - 1);
}

/** Mean and standard deviation (ddof 0) of a block's weights, every tap counted; scaled, so that no square overflows. */
function spreadOf(block: Block): { readonly mean: number; readonly std: number } {
  const { weights, collapsed, taps } = block;
  const sizes = weights ?? collapsed!.norm;
  let scale = 0;
  for (const size of sizes) scale = Math.max(scale, Math.abs(size));
  if (scale === 0) return { mean: 0, std: 0 };
  const count = weights?.length ?? sizes.length * taps;
  let sum = 0;
  if (weights !== null) for (const weight of weights) sum += weight / scale;
  else {
    const { positiveSum, negativeSum } = collapsed!;
    positiveSum.forEach((positive, i) => (sum += (positive - negativeSum[i]!) / scale));
  }
  const mean = sum / count;
  let squares = 0;
  if (weights !== null) for (const weight of weights) squares += (weight / scale - mean) ** 2;
  else {
    for (const norm of sizes) squares += (norm / scale) ** 2;
    squares = Math.max(0, squares - count * mean * mean);
  }
  return { mean: mean * scale, std: Math.sqrt(squares / count) * scale };
}

function edgesOf({ rows, columns, groups }: Block): number {
  return (rows * columns) / groups;
}

function collapsedRoom(edges: number): CollapsedTaps {
  return {
    norm: new Float64Array(edges),
    positiveSum: new Float64Array(edges),
    negativeSum: new Float64Array(edges),
  };
}
