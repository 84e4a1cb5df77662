/** Reverse-mode differentiation of a procedure: the gradients are more nodes in the same procedure. */
import { EngineError } from "../errors.ts";
import type { Scope, Tensor } from "./ir.ts";
import { add } from "./ops/add.ts";
import { fill } from "./ops/fill.ts";

/**
 * Appends to `scope` the nodes that compute the gradient of `loss`, summed over its elements (one per member, and no member's
 * loss depends on another's weights), with respect to each of `targets`. Zeros where the loss does not depend on a target.
 * Cost: a visit per node; no node is added whose result nobody asked for.
 * @throws {EngineError} `ENGINE_GRAPH` if an operation on the way has no gradient.
 */
export function gradients(scope: Scope, loss: Tensor, targets: readonly Tensor[]): Tensor[] {
  const forward = [...scope.nodes];
  const concerned = new Set(targets.map(({ id }) => id));
  for (const { inputs, outputs } of forward) {
    if (inputs.some(({ id }) => concerned.has(id))) outputs.forEach(({ id }) => concerned.add(id));
  }

  const found = new Map<number, Tensor>([[loss.id, fill(scope, loss.shape, 1)]]);
  for (const node of forward.reverse()) {
    const upstream = node.outputs.map(({ id }) => found.get(id) ?? null);
    const wanted = node.inputs.map(({ id }) => concerned.has(id));
    if (!upstream.some((g) => g !== null) || !wanted.includes(true)) continue;
    if (node.operation.gradient === undefined) {
      throw new EngineError("ENGINE_GRAPH", `${node.operation.name} has no gradient`);
    }
    const own = node.operation.gradient({ scope, node, upstream, wanted });
    own.forEach((g, i) => {
      const { id } = node.inputs[i]!;
      if (g === null || !concerned.has(id)) return;
      const before = found.get(id);
      found.set(id, before === undefined ? g : add(scope, before, g));
    });
  }
  return targets.map(({ id, shape }) => found.get(id) ?? fill(scope, shape, 0));
}
