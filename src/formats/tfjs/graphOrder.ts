/** The order in which a graph's nodes are visited: an operand before its reader, else as in the file. */
import type { GraphNode } from "./schema.ts";

/** `name:output`, `^name` and `name:list:output` all mean the node `name`. */
export function nodeName(input: string): string {
  return input.replace(/^\^/, "").split(":")[0]!;
}

/**
 * Depth first, without recursion. The way back into a loop (`NextIteration` to `Merge`) is no dependency, but what leaves the
 * loop waits for its body; any other edge that closes a circle is left out.
 */
export function topologicalOrder(nodes: readonly GraphNode[]): GraphNode[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const entered = new Set<GraphNode>();
  const order: GraphNode[] = [];
  for (const start of nodes) {
    if (entered.has(start)) continue;
    const stack = [{ node: start, next: 0, operands: operandsOf(start, byName) }];
    entered.add(start);
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const node = top.operands[top.next++];
      if (node === undefined) {
        order.push(top.node);
        stack.pop();
      } else if (!entered.has(node)) {
        entered.add(node);
        stack.push({ node, next: 0, operands: operandsOf(node, byName) });
      }
    }
  }
  return order;
}

type Nodes = ReadonlyMap<string, GraphNode>;

function operandsOf(node: GraphNode, byName: Nodes): GraphNode[] {
  const operands = node.input.flatMap((input) => byName.get(nodeName(input)) ?? []);
  if (node.op === "Merge") return operands.filter(({ op }) => op !== "NextIteration");
  if (node.op !== "Exit") return operands;
  return [...operands, ...loopEnds(node, byName)];
}

/** `Exit` reads `Switch`, which reads `Merge`, which reads `NextIteration`. */
export function loopEnds(exit: GraphNode, byName: Nodes): GraphNode[] {
  const behind = (node: GraphNode | undefined, op: string): GraphNode[] =>
    node?.input.slice(0, 2).flatMap((input) => {
      const operand = byName.get(nodeName(input));
      return operand?.op === op ? [operand] : [];
    }) ?? [];
  return behind(exit, "Switch").flatMap((choice) =>
    behind(choice, "Merge").flatMap((merge) => behind(merge, "NextIteration")),
  );
}
