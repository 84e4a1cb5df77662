/** If, Loop, Scan and SequenceMap: graphs inside a node. */
import { freshAxis, unknownActivation, withAxes, type Activation } from "./activation.ts";
import { integersOf } from "./constant.ts";
import type { NodeReader } from "./nodeReader.ts";
import { asActivation, type Value } from "./operator.ts";
import { dropAxis } from "./reshape.ts";
import { openInput, type Scope, type Walk } from "./scope.ts";

export function isControlFlow(opType: string): boolean {
  return ["If", "Loop", "Scan", "SequenceMap"].includes(opType);
}

/** Graphs inside any other node (the decoder of a beam search): walked for their weights, from inputs of their own. */
export async function walkInnerGraphs(walk: Walk, node: NodeReader, scope: Scope): Promise<void> {
  for (const graph of node.graphs) {
    const own = new Set(graph.initializers.map(({ name }) => name));
    const inputs = graph.inputs.map((input) =>
      own.has(input.name) ? undefined : openInput(input),
    );
    await walk.graph(graph, scope, inputs);
  }
}

/**
 * Both branches of an If are walked, for their weights; what they answer is one activation, or that of the branch which is
 * known to be taken. A body of a Loop or Scan is walked once, with the
 * values that enter the first round.
 */
export function callControlFlow(
  walk: Walk,
  node: NodeReader,
  scope: Scope,
  inputs: readonly (Value | undefined)[],
): Promise<readonly (Value | undefined)[]> {
  if (node.opType === "If") return branches(walk, node, scope, inputs[0]);
  if (node.opType === "SequenceMap") return mapped(walk, node, scope, inputs);
  return node.opType === "Loop" ? loop(walk, node, scope, inputs) : scan(walk, node, scope, inputs);
}

async function branches(
  walk: Walk,
  node: NodeReader,
  scope: Scope,
  condition: Value | undefined,
): Promise<readonly (Value | undefined)[]> {
  const results: (readonly (Value | undefined)[])[] = [];
  for (const name of ["then_branch", "else_branch"]) {
    const graph = node.graph(name);
    results.push(graph === null ? [] : await walk.graph(graph, scope, []));
  }
  const [one = [], other = []] = results;
  const holds = await truthOf(condition);
  if (holds !== null) return holds ? one : other;
  return node.outputs.map((_, i) => united(walk, one[i], other[i]));
}

/** Whether a condition holds, where it is known: exporters ask for ranks and sizes. */
async function truthOf(value: Value | undefined): Promise<boolean | null> {
  const known = value?.kind === "constant" ? await integersOf(value) : value?.integers;
  const first = known?.[0];
  return first === undefined || first === null ? null : first !== 0;
}

/** Either of two values comes out of one place: neurons that stand alike are the same. */
function united(walk: Walk, a: Value | undefined, b: Value | undefined): Value | undefined {
  if (a?.kind !== "activation" || b?.kind !== "activation") return a ?? b;
  const [one, other] = a.ids === null ? [b, a] : [a, b];
  if (one.ids === null) return one.axes === null ? other : one;
  if (other.ids !== null && other.ids.length === one.ids.length) {
    walk.collect.merge(one.ids, other.ids);
  }
  return one;
}

/** Inputs: rounds, condition, carried values. Outputs: carried values, then one element per round. */
async function loop(
  walk: Walk,
  node: NodeReader,
  scope: Scope,
  inputs: readonly (Value | undefined)[],
): Promise<readonly (Value | undefined)[]> {
  const body = node.graph("body");
  if (body === null) return [];
  const carried = inputs.slice(2).map(carriedValue);
  const outputs = await walk.graph(body, scope, [undefined, undefined, ...carried]);
  return outputs.slice(1).map((value, i) => (i < carried.length ? value : stacked(value)));
}

/** The body sees an element of each sequence, and what is no sequence whole. */
async function mapped(
  walk: Walk,
  node: NodeReader,
  scope: Scope,
  inputs: readonly (Value | undefined)[],
): Promise<readonly (Value | undefined)[]> {
  const body = node.graph("body");
  if (body === null) return [];
  const seen = inputs.map((value) => {
    const activation = asActivation(value);
    return activation.elements?.[0] ?? activation;
  });
  const outputs = await walk.graph(body, scope, seen);
  return outputs.map((value) => ({ ...unknownActivation, elements: [asActivation(value)] }));
}

/** Inputs: states, then sequences of which the body sees one element. */
async function scan(
  walk: Walk,
  node: NodeReader,
  scope: Scope,
  inputs: readonly (Value | undefined)[],
): Promise<readonly (Value | undefined)[]> {
  const body = node.graph("body");
  if (body === null) return [];
  const count = Math.max(0, inputs.length - node.int("num_scan_inputs", 0));
  const axes = node.ints("scan_input_axes") ?? [];
  const seen = inputs.map((value, i) => {
    if (i < count) return carriedValue(value);
    const activation = asActivation(value);
    const axis = axes[i - count] ?? 0;
    return dropAxis(activation, axis < 0 ? axis + (activation.axes?.length ?? 0) : axis);
  });
  const outputs = await walk.graph(body, scope, seen);
  return outputs.map((value, i) => (i < count ? value : stacked(value)));
}

/** Changes from round to round, so its numbers are no constants. */
function carriedValue(value: Value | undefined): Activation {
  const { integers: _, ...activation } = asActivation(value);
  return activation;
}

/** One element per round, along a new first axis. */
function stacked(value: Value | undefined): Activation {
  const activation = asActivation(value);
  if (activation.axes === null) return unknownActivation;
  return withAxes(activation, [freshAxis(null), ...activation.axes]);
}
