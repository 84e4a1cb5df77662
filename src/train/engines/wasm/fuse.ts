/** Joins a product, the bias that is added to it and the relu of the sum into one task, when nobody else looks at what lies between. */
import type { Node, Procedure, Tensor } from "../../ir.ts";

/** What one step computes: a node, and perhaps more that follows it. */
export interface Task {
  readonly node: Node;
  /** Added to the node's output along the channels. */
  readonly bias: Tensor | null;
  /** Whether relu is applied last. */
  readonly relu: boolean;
  /** The last node's outputs. */
  readonly outputs: readonly Tensor[];
}

const takesBias = new Set(["conv2d", "dense"]);
const takesRelu = new Set(["conv2d", "dense", "addBias"]);

export function fuse({ nodes, outputs }: Procedure): Task[] {
  const readers = new Map<number, Node[]>();
  for (const node of nodes) {
    for (const { id } of node.inputs) readers.set(id, [...(readers.get(id) ?? []), node]);
  }
  const visible = new Set(outputs.map(({ id }) => id));
  /** The only node that reads the output, if it does so as its first input. */
  const successor = ({ outputs: [output] }: Node, name: string): Node | null => {
    const [only, ...others] = readers.get(output!.id) ?? [];
    const alone = others.length === 0 && !visible.has(output!.id);
    const first = only?.operation.name === name && only.inputs[0] === output;
    return only !== undefined && alone && first ? only : null;
  };

  const absorbed = new Set<Node>();
  const tasks: Task[] = [];
  for (const node of nodes) {
    if (absorbed.has(node)) continue;
    let last = node;
    let bias: Tensor | null = null;
    const biasNode = takesBias.has(node.operation.name) ? successor(node, "addBias") : null;
    if (biasNode !== null && isThereFromTheStart(biasNode.inputs[1]!)) {
      bias = biasNode.inputs[1]!;
      last = biasNode;
      absorbed.add(biasNode);
    }
    const reluNode = takesRelu.has(node.operation.name) ? successor(last, "relu") : null;
    if (reluNode !== null) {
      last = reluNode;
      absorbed.add(reluNode);
    }
    tasks.push({ node, bias, relu: reluNode !== null, outputs: last.outputs });
  }
  return tasks;
}

/** The task runs where its first node stands, so a bias that is computed in between would come too late. */
function isThereFromTheStart({ origin, id, storage }: Tensor): boolean {
  return origin !== "computed" && id === storage;
}
