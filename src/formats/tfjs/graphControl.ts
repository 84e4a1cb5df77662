/** Loops, conditions and calls: as nodes of one graph (Enter … Exit), or as functions of its library (While, If). */
import { FormatError } from "../../errors.ts";
import type { NeuronTracer } from "../../model/neuronTracer.ts";
import { uniteFlows } from "./graphArithmetic.ts";
import { attributeOf, backOf, flowOf, flowsOf, mapAxes, type Value } from "./graphValues.ts";
import type { Graph, GraphFunction, GraphNode } from "./schema.ts";

/** Nodes that calls may visit, all together, and calls inside calls. */
const limits = { visits: 200_000, depth: 64 };

/** Where nodes are visited: how deep in calls, and whether round after round. */
export interface Around {
  readonly depth: number;
  readonly isLoop: boolean;
}

export interface Calls {
  /** The outputs of a node that calls functions; null for one that does not. */
  outputsOf(node: GraphNode, inputs: readonly Value[], around: Around): readonly Value[] | null;
}

export type WalkNodes = (
  nodes: readonly GraphNode[],
  values: Map<string, readonly Value[]>,
  around: Around,
) => (edge: string) => Value;

type Call = (own: GraphFunction, inputs: readonly Value[], around: Around) => Value[];
type Named = (node: GraphNode, attribute: string) => GraphFunction | undefined;

/** `walkNodes` visits the nodes of a body and gives back how to read its edges. */
export function functionCalls(graph: Graph, walkNodes: WalkNodes, tracer: NeuronTracer): Calls {
  let visits = 0;
  const call: Call = (own, inputs, { depth, isLoop }) => {
    visits += own.nodes.length + 1;
    if (depth > limits.depth || visits > limits.visits) {
      throw new FormatError(
        "FORMAT_LIMIT",
        `calls of ${own.name} are nested too deep or too many`,
        { path: ["library", own.name], hint: "A function that calls itself has no end." },
      );
    }
    const values = new Map(
      own.inputs.map((name, i): [string, readonly Value[]] => [name, [inputs[i] ?? null]]),
    );
    return own.outputs.map(walkNodes(own.nodes, values, { depth: depth + 1, isLoop }));
  };
  const named: Named = (node, attribute) => {
    const { func } = attributeOf(node, attribute) as { func?: { name?: unknown } };
    return typeof func?.name === "string" ? graph.functions.get(func.name) : undefined;
  };
  return {
    outputsOf(node, inputs, around) {
      if (/^(?:Stateless)?While$/.test(node.op)) {
        const [body, condition] = [named(node, "body"), named(node, "cond")];
        if (body === undefined) return null;
        const stays = invariantInputs(body);
        const states = inputs.map((input, i) =>
          stays[i] ? input : loopState(input, node.name, tracer),
        );
        const inside = { ...around, isLoop: true };
        if (condition !== undefined) call(condition, states, inside);
        const ends = call(body, states, inside);
        return inputs.map((input, i) =>
          stays[i] ? input : unitedValue([states[i] ?? null, ends[i] ?? null], tracer),
        );
      }
      const branches = branchesOf(node, named, graph);
      if (branches.length === 0) return null;
      const takesChoice = /^(?:Stateless)?(?:If|Case)$/.test(node.op);
      const given = takesChoice ? inputs.slice(1) : inputs;
      const answers = branches.map((own) => call(own, given, around));
      const count = answers.reduce((most, own) => Math.max(most, own.length), 0);
      return Array.from({ length: count }, (_, i) =>
        unitedValue(
          answers.map((own) => own[i] ?? null),
          tracer,
        ),
      );
    },
  };
}

function branchesOf(node: GraphNode, named: Named, graph: Graph): GraphFunction[] {
  const { op } = node;
  if (/^(?:Stateless)?If$/.test(op)) {
    return [named(node, "then_branch"), named(node, "else_branch")].filter(
      (own) => own !== undefined,
    );
  }
  if (/^(?:Stateless)?Case$/.test(op)) {
    const list = attributeOf(node, "branches")["list"] as { func?: unknown } | undefined;
    const names = Array.isArray(list?.func) ? (list.func as { name?: unknown }[]) : [];
    return names.flatMap(({ name }) => graph.functions.get(String(name)) ?? []);
  }
  const own = graph.functions.get(op) ?? named(node, "f");
  const isCall = graph.functions.has(op) || /^(?:Stateful)?PartitionedCall$/.test(op);
  return isCall && own !== undefined ? [own] : [];
}

/** Whether a body hands each of its inputs on as it is. */
function invariantInputs({ inputs, outputs, nodes }: GraphFunction): boolean[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  return inputs.map((input, i) => {
    let edge = outputs[i]?.split(":")[0] ?? "";
    for (let steps = 0; steps < 16 && edge !== input; steps++) {
      const node = byName.get(edge);
      if (node?.op !== "Identity") return false;
      edge = node.input[0]?.split(":")[0] ?? "";
    }
    return edge === input;
  });
}

/**
 * What a loop carries from round to round. That a state begins with zeros says nothing of its neurons: they are those of its first
 * reader. Counters have none.
 */
export function loopState(initial: Value, name: string, tracer: NeuronTracer): Value {
  if (initial?.kind === "flow") return initial;
  if (initial?.kind === "numbers") return null;
  if (initial?.kind === "constant" && initial.numbers !== null) return null;
  return flowOf(tracer.source(`state of ${name}`, null, "hidden"), 0, null);
}

/** One of several values comes out of one place: neurons that stand alike are the same. */
export function unitedValue(values: readonly Value[], tracer: NeuronTracer): Value {
  const flows = flowsOf(values);
  const numbered = flows.filter(({ activation }) => activation.neurons.ids !== null);
  if (flows.length === 0) return values.find((value) => value !== null) ?? null;
  return uniteFlows(numbered.length > 0 ? numbered : flows, tracer);
}

/** Lists of tensors of one shape carry what one of them carries. */
export function listOutputs(node: GraphNode, inputs: readonly Value[]): readonly Value[] | null {
  const [first = null, second = null, third = null, fourth = null] = inputs;
  switch (node.op) {
    case "TensorListReserve":
    case "EmptyTensorList":
    case "TensorArrayV3":
      return [null, null];
    case "TensorListFromTensor":
    case "TensorListSplit":
    case "TensorListScatter":
    case "TensorListScatterV2":
      return [inFront(first, -1)];
    case "TensorArrayScatterV3":
    case "TensorArraySplitV3":
      return [inFront(third ?? second, -1)];
    case "TensorListGetItem":
    case "TensorListResize":
      return [first];
    case "TensorArrayReadV3":
      return [third];
    case "TensorListSetItem":
      return [third ?? first];
    case "TensorArrayWriteV3":
      return [third ?? fourth];
    case "TensorListPushBack":
      return [second ?? first];
    case "TensorListPopBack":
      return [first, first];
    case "TensorListStack":
    case "TensorListGather":
      return [inFront(first, 1)];
    case "TensorArrayGatherV3":
      return [inFront(third, 1)];
    case "TensorListConcat":
    case "TensorListConcatV2":
      return [first, null];
    case "TensorArrayConcatV3":
      return [second ?? third, null];
    default:
      return null;
  }
}

/** An axis more or less in front. */
function inFront(value: Value, more: 1 | -1): Value {
  if (value?.kind !== "flow") return value;
  const rank = value.rank === null ? null : value.rank + more;
  return backOf(0, value.rank) === value.back && more === -1
    ? null
    : mapAxes(value, rank, (back) => back);
}
