/** Nodes in an order in which each comes after those that it reads from: as the file has them, where that is one. */
import type { OnnxNode } from "./schema.ts";

/** Nodes of a cycle stay in the file's order; what they read from each other is not known when they are reached. */
export function inOrder(nodes: readonly OnnxNode[]): readonly OnnxNode[] {
  const makers = new Map<string, number>();
  nodes.forEach((node, i) => {
    for (const output of node.outputs) if (output !== "") makers.set(output, i);
  });
  const sources = nodes.map((node) =>
    readBy(node).flatMap((input) => {
      const maker = makers.get(input);
      return maker === undefined ? [] : [maker];
    }),
  );
  if (sources.every((own, i) => own.every((maker) => maker < i))) return nodes;
  const sorted: OnnxNode[] = [];
  const state = new Uint8Array(nodes.length);
  for (let first = 0; first < nodes.length; first++) {
    const stack = [first];
    while (stack.length > 0) {
      const at = stack.at(-1)!;
      const isNew = state[at] === 0;
      const open = isNew ? sources[at]!.filter((maker) => state[maker] === 0) : [];
      state[at] = Math.max(state[at]!, 1);
      if (open.length > 0) {
        stack.push(...open.toReversed());
        continue;
      }
      stack.pop();
      if (state[at] === 2) continue;
      state[at] = 2;
      sorted.push(nodes[at]!);
    }
  }
  return sorted;
}

/** What a node reads, and what the graphs inside it may read from around them. */
function readBy(node: OnnxNode): readonly string[] {
  const inner = [...node.attributes.values()].flatMap(({ graph }) =>
    graph === null ? [] : [...graph.nodes.flatMap(readBy), ...graph.outputs],
  );
  return inner.length === 0 ? node.inputs : [...node.inputs, ...inner];
}
