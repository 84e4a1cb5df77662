/** Nodes in an order in which each comes after those that it reads from: as the file has them, where that is one. */
import { FormatError } from "../../errors.ts";
import type { ErrorPath, OnnxNode } from "./schema.ts";

/**
 * Cost: linear in nodes and their inputs.
 * @throws {FormatError} `FORMAT_MALFORMED` for nodes that read, one from the other, what they make themselves
 */
export function inOrder(nodes: readonly OnnxNode[], path: ErrorPath): readonly OnnxNode[] {
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
  refuseCycle(nodes, makers, path);
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

/** By inputs alone: the graphs inside a node may use its own names again. */
function refuseCycle(
  nodes: readonly OnnxNode[],
  makers: ReadonlyMap<string, number>,
  path: ErrorPath,
): void {
  const waiting = new Int32Array(nodes.length);
  const readers = nodes.map((): number[] => []);
  nodes.forEach((node, i) => {
    for (const input of node.inputs) {
      const maker = makers.get(input);
      if (maker === undefined) continue;
      readers[maker]!.push(i);
      waiting[i]!++;
    }
  });
  const ready = [...nodes.keys()].filter((i) => waiting[i] === 0);
  let done = 0;
  for (let at = ready.pop(); at !== undefined; at = ready.pop()) {
    done++;
    for (const reader of readers[at]!) if (--waiting[reader]! === 0) ready.push(reader);
  }
  if (done === nodes.length) return;
  const first = waiting.findIndex((count) => count > 0);
  throw new FormatError("FORMAT_MALFORMED", "the graph has a cycle: nodes wait for each other", {
    path: [...path, "node", nodes[first]!.name || first],
  });
}

/** What a node reads, and what the graphs inside it may read from around them. */
function readBy(node: OnnxNode): readonly string[] {
  const inner = [...node.attributes.values()].flatMap(({ graph }) =>
    graph === null ? [] : [...graph.nodes.flatMap(readBy), ...graph.outputs],
  );
  return inner.length === 0 ? node.inputs : [...node.inputs, ...inner];
}
