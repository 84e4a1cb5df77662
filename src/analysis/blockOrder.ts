import type { BlockProduct } from "./blockProduct.ts";

type Ends = Pick<BlockProduct, "rowNodes" | "columnNodes">;

export interface BlockOrder {
  /** Indices of the blocks, senders before receivers as far as that goes. */
  readonly order: readonly number[];
  /** No neuron reaches itself, so that one sweep in this order carries everything from the first layer to the last. */
  readonly acyclic: boolean;
}

/**
 * The blocks such that whatever a block's senders receive comes before it. On a cycle (shortcuts that return to neurons of an
 * earlier layer) the first block that waits is let through.
 * Cost: O(rows + columns) of all blocks. Source: Kahn 1962, doi 10.1145/368996.369025.
 */
export function blockOrder(blocks: readonly Ends[], nodeCount: number): BlockOrder {
  const unseenInto = new Int32Array(nodeCount);
  for (const { rowNodes } of blocks) for (const node of rowNodes) unseenInto[node]!++;
  const readersOf = readers(blocks, nodeCount);
  const waitsFor = blocks.map(({ columnNodes }) =>
    columnNodes.reduce((count, node) => count + (unseenInto[node]! > 0 ? 1 : 0), 0),
  );
  const taken = blocks.map(() => false);
  const ready = blocks.flatMap((_, index) => (waitsFor[index] === 0 ? [index] : []));
  const order: number[] = [];
  let acyclic = true;
  let earliest = 0;
  while (order.length < blocks.length) {
    let index = ready.shift();
    if (index === undefined) {
      acyclic = false;
      while (taken[earliest]!) earliest++;
      index = earliest;
    }
    if (taken[index]!) continue;
    taken[index] = true;
    order.push(index);
    for (const node of blocks[index]!.rowNodes) {
      if (--unseenInto[node]! > 0) continue;
      for (const reader of readersOf(node)) if (--waitsFor[reader]! === 0) ready.push(reader);
    }
  }
  return { order, acyclic };
}

/** For a node the blocks that it sends to, once for each of its columns there. */
function readers(blocks: readonly Ends[], nodeCount: number): (node: number) => Int32Array {
  const ends = new Int32Array(nodeCount + 1);
  for (const { columnNodes } of blocks) for (const node of columnNodes) ends[node + 1]!++;
  for (let node = 0; node < nodeCount; node++) ends[node + 1]! += ends[node]!;
  const filled = ends.slice(0, nodeCount);
  const entries = new Int32Array(ends[nodeCount]!);
  blocks.forEach(({ columnNodes }, index) => {
    for (const node of columnNodes) entries[filled[node]!++] = index;
  });
  return (node) => entries.subarray(ends[node], ends[node + 1]);
}
