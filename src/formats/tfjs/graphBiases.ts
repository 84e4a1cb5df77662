/** Which constant of a TensorFlow graph is the bias of a use of weights: fused into its node, or added right behind it. */
import type { StoredTensor, WeightLayer } from "../../model/model.ts";
import { nodeName } from "./graphOrder.ts";
import { textsAttribute, type Flow, type Value } from "./graphValues.ts";
import type { GraphNode } from "./schema.ts";

export interface BiasSearch {
  readonly layer: WeightLayer;
  /** What the node reads. */
  readonly inputs: readonly Value[];
  /** What it puts out. */
  readonly output: Flow;
  readonly readersOf: ReadonlyMap<string, readonly GraphNode[]>;
  readonly valueOf: (edge: string) => Value;
}

/** The nodes that read each node, a node that reads twice standing twice. */
export function readersIn(nodes: Iterable<GraphNode>): Map<string, GraphNode[]> {
  const readers = new Map<string, GraphNode[]>();
  for (const node of nodes) {
    for (const edge of node.input) {
      if (edge.startsWith("^")) continue;
      const name = nodeName(edge);
      const known = readers.get(name);
      if (known === undefined) readers.set(name, [node]);
      else known.push(node);
    }
  }
  return readers;
}

const single =
  /^(?:Conv2D|Conv3D|DepthwiseConv2dNative|Conv2DBackpropInput|MatMul|BatchMatMul\w*)$/;
const sums = /^(?:BiasAdd|Add|AddV2)$/;

/** Null where there is none, undefined where it is not known: for one of several readers, or not one number per neuron. */
export function biasOfUse(node: GraphNode, search: BiasSearch): StoredTensor | null | undefined {
  const { layer, inputs, readersOf } = search;
  if (layer.kind === "embedding") return null;
  if (/^_?Fused/.test(node.op)) {
    const [first] = textsAttribute(node, "fused_ops");
    return first === "BiasAdd" ? fit(inputs[2] ?? null, layer) : undefined;
  }
  if (!single.test(node.op)) return undefined;
  let at = node;
  let isReshaped = false;
  for (;;) {
    const readers = readersOf.get(at.name) ?? [];
    const [reader] = readers;
    if (readers.length === 1 && sums.test(reader!.op)) return added(at, reader!, search);
    if (readers.length !== 1 || !/^(?:Reshape|Squeeze|Identity)$/.test(reader!.op)) {
      const isPlain = !isReshaped && !readers.some(({ op }) => sums.test(op) || op === "Transpose");
      return isPlain ? null : undefined;
    }
    isReshaped ||= reader!.op === "Reshape";
    at = reader!;
  }
}

function added(
  at: GraphNode,
  { op, input }: GraphNode,
  { layer, output, valueOf }: BiasSearch,
): StoredTensor | null | undefined {
  const other = input.find((edge) => !edge.startsWith("^") && nodeName(edge) !== at.name);
  const value = other === undefined ? null : valueOf(other);
  if (value?.kind === "flow") return null;
  return op === "BiasAdd" || output.back === 0 ? fit(value, layer) : undefined;
}

function fit(value: Value, { out }: WeightLayer): StoredTensor | undefined {
  if (value?.kind !== "constant") return undefined;
  const { tensor } = value;
  const isFit = tensor.shape.length === 1 && tensor.shape[0] === out;
  return isFit ? { ...tensor, role: "bias" } : undefined;
}
