/** Operators that read shapes, look up places, or say by letters where axes go. */
import type { NeuronTracer } from "../../model/neuronTracer.ts";
import { computedOf } from "./graphArithmetic.ts";
import { tellProduct, type Factor } from "./graphHeads.ts";
import { partAt } from "./graphParts.ts";
import { takeIndex } from "./graphSlice.ts";
import {
  backOf,
  flowsOf,
  mapAxes,
  numbersOf,
  textAttribute,
  type Flow,
  type Value,
} from "./graphValues.ts";
import type { GraphNode } from "./schema.ts";

/** As far as it is known: how many sizes there are, and that of the neurons' axis. */
export function shapeOf(value: Value): Value {
  if (value?.kind === "constant") return { kind: "numbers", numbers: value.tensor.shape };
  if (value?.kind !== "flow" || value.rank === null || value.rank > 64) return null;
  const numbers = new Array<number | null>(value.rank).fill(null);
  const { activation, back, outer } = value;
  const at = value.rank - 1 - back;
  if (outer.length === 0 && activation.flat === null && at >= 0) {
    numbers[at] = activation.neurons.ids?.length ?? null;
  }
  return { kind: "numbers", numbers };
}

/** Rows of a flow or of a list of numbers by number; a look-up in a constant is a weight layer's affair. */
export function gatherFlow(node: GraphNode, inputs: readonly Value[], tracer: NeuronTracer): Value {
  const [value = null, index] = inputs;
  const listed = numbersOf(index);
  const own = numbersOf(value);
  if (own !== null && listed !== null) {
    return {
      kind: "numbers",
      numbers: listed.map((at) => (at === null ? null : (own.at(at) ?? null))),
    };
  }
  if (value?.kind !== "flow") return computedOf([value]);
  const axis = node.op === "GatherV2" ? numbersOf(inputs[2])?.[0] : 0;
  if (axis === null || axis === undefined) return null;
  if (node.op === "GatherNd" || node.op === "RaggedGather") {
    return value.back === 0 && value.outer.length === 0 ? { ...value, rank: null } : null;
  }
  const isScalar = index?.kind === "constant" && index.tensor.shape.length === 0;
  if (isScalar) return takeIndex(value, { axis, index: listed?.[0] ?? null }, tracer);
  if (partAt(value, backOf(axis, value.rank)) !== -1) return null;
  const rank = index?.kind === "constant" && index.tensor.shape.length === 1 ? value.rank : null;
  return { ...value, rank };
}

/** A neuron for each of `depth` categories. */
export function oneHot(node: GraphNode, inputs: readonly Value[], tracer: NeuronTracer): Value {
  const [flow] = flowsOf(inputs.slice(0, 1));
  const [depth] = numbersOf(inputs[1]) ?? [];
  if (flow === undefined) return null;
  const rank = flow.rank === null ? null : flow.rank + 1;
  const { name, role } = flow.activation.neurons;
  const isSize = typeof depth === "number" && depth > 0;
  const activation = tracer.source(name, isSize ? depth : null, role);
  return { ...flow, activation, back: 0, rank, outer: [], isScaled: false };
}

/** Two flows in one sum: the one of which no neuron's letter is summed over. */
export function einsumFlow(node: GraphNode, inputs: readonly Value[], tracer: NeuronTracer): Value {
  const equation = textAttribute(node, "equation").replaceAll(/\s/g, "");
  const [sides = "", output = ""] = equation.split("->");
  const letters = sides.split(",");
  const kept = inputs.map((value, i) =>
    value?.kind === "flow" ? followLetters(value, letters[i] ?? "", output) : null,
  );
  const at = kept.findLastIndex((flow) => flow !== null);
  const [left, right] = [0, 1].map((i): Factor => {
    const own = letters[i] ?? "";
    const isIn = (back: number, terms: string | undefined): boolean =>
      terms?.includes(own.at(-1 - back) ?? ",") === true;
    const isBoth = (back: number): boolean => isIn(back, letters[1 - i]);
    return {
      value: inputs[i],
      isShared: (back) => isBoth(back) && isIn(back, output),
      isSummed: (back) => isBoth(back) && !isIn(back, output),
      isKept: i === at,
      standsLast: !letters[1 - i]?.includes(output.at(-1) ?? ","),
    };
  });
  tellProduct(tracer, left!, right!);
  return kept[at] ?? null;
}

function followLetters(flow: Flow, own: string, output: string): Flow | null {
  return mapAxes(flow, output.length, (back) => {
    const letter = own.at(-1 - back);
    const at = letter === undefined ? -1 : output.indexOf(letter);
    return at === -1 ? null : output.length - 1 - at;
  });
}
