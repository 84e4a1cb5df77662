/** Operators that work element by element, and those that reduce axes. */
import type { NeuronTracer } from "../../model/neuronTracer.ts";
import { tellProduct, type Factor } from "./graphHeads.ts";
import {
  backOf,
  constantsIn,
  flagAttribute,
  flowsOf,
  mapAxes,
  numbersOf,
  type Flow,
  type Value,
} from "./graphValues.ts";
import type { GraphNode } from "./schema.ts";

/** Operands of as many neurons become one; what constants alone make is a computed constant. */
export function elementwise(
  node: GraphNode,
  inputs: readonly Value[],
  tracer: NeuronTracer,
): Value {
  const flows = flowsOf(inputs);
  if (flows.length === 0) return computedOf(inputs);
  const flow = uniteFlows(flows, tracer);
  if (flow === null) return null;
  const parameters = constantsIn(inputs);
  const widest = parameters.reduce(
    (most, { tensor }) => Math.max(most, tensor.shape.at(-1) ?? 1),
    1,
  );
  const isScaled =
    parameters.some(({ tensor }) => tensor.shape.some((size) => size > 1)) && scaling.test(node.op);
  return spread({ ...flow, isScaled }, widest, tracer);
}

/** Operators that multiply: a constant of a number per channel is a normalisation's scale. */
export const scaling: RegExp = /^(?:Mul|RealDiv|Div|DivNoNan)$/;

/** Constants that a computed one remembers. */
const maxParts = 64;

/** What is computed from constants alone; null where anything else takes part. */
export function computedOf(inputs: readonly Value[]): Value {
  const parts = [...new Map(constantsIn(inputs).map((part) => [part.tensor, part])).values()];
  return parts.length > 0 ? { kind: "computed", parts: parts.slice(0, maxParts) } : null;
}

/** Those that carry as many neurons on the same axes become one; a constant or a broadcast changes nothing. */
export function uniteFlows(flows: readonly Flow[], tracer: NeuronTracer): Flow | null {
  const [first] = flows;
  if (first === undefined) return null;
  const aligned = flows.filter((flow) => flow.back === first.back && sameParts(flow, first));
  const activation = tracer.unite(aligned.map((flow) => flow.activation));
  const widest = aligned.find((flow) => flow.activation === activation) ?? first;
  const rank = flows.reduce((most, flow) => Math.max(most, flow.rank ?? -1), -1);
  return { ...widest, rank: rank < 0 ? null : rank };
}

function sameParts(one: Flow, other: Flow): boolean {
  return (
    one.outer.length === other.outer.length &&
    one.outer.every(
      ({ size, back }, i) => size === other.outer[i]!.size && back === other.outer[i]!.back,
    )
  );
}

/** An input that is spread over an axis of its own (compared to a list: a one-hot code) has a neuron for each place there. */
export function spread(flow: Flow, size: number, tracer: NeuronTracer): Flow {
  const { ids, name, role, size: own } = flow.activation.neurons;
  if (ids !== null || own !== 1 || size <= 1) return flow;
  return { ...flow, activation: tracer.source(name, size, role) };
}

export function reduceFlow(node: GraphNode, inputs: readonly Value[]): Value {
  const [flow] = flowsOf(inputs);
  const axes = numbersOf(inputs[1]);
  if (flow === undefined) return computedOf(inputs.slice(0, 1));
  if (axes === null) return null;
  const gone = axes.map((axis) => (axis === null ? null : backOf(axis, flow.rank)));
  const keeps = flagAttribute(node, "keep_dims") || flagAttribute(node, "keepdims");
  return withoutAxes(flow, gone, keeps);
}

/** An axis of unknown place is taken to lie before the neurons' own. */
export function withoutAxes(flow: Flow, gone: readonly (number | null)[], keeps = false): Value {
  const rank = flow.rank === null || keeps ? flow.rank : flow.rank - gone.length;
  return mapAxes(flow, rank, (back) => {
    if (gone.includes(back)) return null;
    return keeps ? back : back - gone.filter((axis) => axis !== null && axis < back).length;
  });
}

/** A product of two flows: what is summed over is gone, the rows of the left and the columns of the right are kept. */
export function productFlow(
  node: GraphNode,
  inputs: readonly Value[],
  tracer: NeuronTracer,
): Value {
  const [left, right] = inputs;
  const turned = (side: "a" | "b"): boolean =>
    flagAttribute(node, `transpose_${side}`) ||
    flagAttribute(node, side === "a" ? "adj_x" : "adj_y");
  const kept = (value: Value | undefined, summed: number, to: number): Flow | null =>
    value?.kind === "flow"
      ? mapAxes(value, value.rank, (back) => {
          if (back === summed) return null;
          return back === 1 - summed ? to : back;
        })
      : null;
  const byRight = kept(right, turned("b") ? 0 : 1, 0);
  const byLeft = byRight ? null : kept(left, turned("a") ? 1 : 0, 1);
  const factor = (value: Value | undefined, summed: number, isKept: boolean): Factor => ({
    value,
    isShared: (back) => back > 1,
    isSummed: (back) => back === summed,
    isKept,
    standsLast: value === right,
  });
  tellProduct(
    tracer,
    factor(left, turned("a") ? 1 : 0, byLeft !== null),
    factor(right, turned("b") ? 0 : 1, byRight !== null),
  );
  return byRight ?? byLeft;
}
