/** What constants beside the data of an operator are: biases, parts of a normalisation. */
import type { TensorRole } from "../../model/model.ts";
import { elementCount } from "../../tensor/shape.ts";
import { scaling } from "./graphArithmetic.ts";
import { constantsIn, textsAttribute, type Constant, type Value } from "./graphValues.ts";
import type { GraphNode } from "./schema.ts";

export interface Roles {
  /** Of each tensor, as its first reader has it; weights before all else. */
  readonly byName: ReadonlyMap<string, TensorRole>;
  /** Kernels that a converter multiplied with the scale of a normalisation. */
  readonly folded: readonly string[];
  note(parts: readonly Constant[], role: TensorRole): void;
  /** Constants of a node without weights. */
  noteSides(node: GraphNode, inputs: readonly Value[]): void;
  /** Constants beside the weights of a node: `[x, weights, …]`. */
  noteFused(node: GraphNode, inputs: readonly Value[], weight: Constant): void;
}

/**
 * A sum with a constant adds a bias, unless a factor per channel stands before it (or right behind: `rescaled` holds the nodes
 * that only such a factor reads): these are a normalisation.
 */
export function roleNotes(integers: ReadonlySet<string>, rescaled: ReadonlySet<string>): Roles {
  const byName = new Map<string, TensorRole>();
  const folded: string[] = [];
  const note = (parts: readonly Constant[], role: TensorRole): void => {
    for (const { tensor } of parts) {
      const { name, shape } = tensor;
      const isParameter = !integers.has(name) && shape.length > 0 && elementCount(shape) > 0;
      const isNew = role === "weight" || !byName.has(name);
      if (isParameter && tensor.dtype !== "complex64" && isNew) byName.set(name, role);
    }
  };
  return {
    byName,
    folded,
    note,
    noteSides(node, inputs) {
      const role = sideRole(node, inputs, rescaled);
      const mayBeSingle = /^(?:BiasAdd|FusedBatchNorm)/.test(node.op);
      const parts = constantsIn(inputs).filter((part) => mayBeSingle || isPerChannel(part));
      if (role !== null) note(parts, role);
    },
    noteFused(node, inputs, weight) {
      const sides = inputs.slice(2);
      let at = 0;
      for (const fused of textsAttribute(node, "fused_ops")) {
        const count =
          fused === "FusedBatchNorm" ? 4 : /^(?:BiasAdd|Add|Prelu)$/.test(fused) ? 1 : 0;
        const own = constantsIn(sides.slice(at, at + count));
        note(own, fused === "BiasAdd" || fused === "Add" ? "bias" : "normalisation");
        at += count;
      }
      note(constantsIn(sides), "bias");
      const isFolded = constantsIn(sides).some(({ tensor }) => tensor.name.endsWith("_bn_offset"));
      if (isFolded) folded.push(weight.tensor.name);
    },
  };
}

/** A single number scales everything alike. */
function isPerChannel({ tensor }: Constant): boolean {
  return elementCount(tensor.shape) > 1;
}

function sideRole(
  node: GraphNode,
  inputs: readonly Value[],
  rescaled: ReadonlySet<string>,
): TensorRole | null {
  if (/^(?:FusedBatchNorm\w*|Prelu)$/.test(node.op)) return "normalisation";
  const flow = inputs.find((input) => input?.kind === "flow");
  // Of constants alone: a variance and what is added to it. Their reader decides.
  if (flow === undefined) return null;
  if (scaling.test(node.op)) return "normalisation";
  if (!/^(?:Add|AddV2|BiasAdd|Sub)$/.test(node.op)) return null;
  return flow.isScaled || rescaled.has(node.name) ? "normalisation" : "bias";
}

/** Names of differences that nothing reads but a product with a constant: `(x - mean) * scale`. */
export function rescaledNodes(
  nodes: readonly GraphNode[],
  isConstant: (name: string) => boolean,
): Set<string> {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const readers = new Map<string, boolean>();
  for (const node of nodes) {
    const names = node.input.map((input) => input.split(":")[0]!);
    const isScale = scaling.test(node.op) && names.some(isConstant);
    for (const name of names) {
      if (byName.get(name)?.op === "Sub") readers.set(name, isScale && readers.get(name) !== false);
    }
  }
  return new Set([...readers].flatMap(([name, only]) => (only ? [name] : [])));
}
