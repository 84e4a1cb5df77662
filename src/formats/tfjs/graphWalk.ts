/** The walk over the nodes of a graph: which neurons each edge carries, which constants are weights. */
import { FormatError } from "../../errors.ts";
import type { WeightLayer } from "../../model/model.ts";
import type { NeuronTracer } from "../../model/neuronTracer.ts";
import { uniteFlows } from "./graphArithmetic.ts";
import { biasOfUse, readersIn } from "./graphBiases.ts";
import {
  functionCalls,
  listOutputs,
  loopState,
  unitedValue,
  type Around,
  type Calls,
  type WalkNodes,
} from "./graphControl.ts";
import { connectUse, type Connections } from "./graphLayer.ts";
import { outputsOf } from "./graphOps.ts";
import { loopEnds, nodeName, topologicalOrder } from "./graphOrder.ts";
import { outputPlace } from "./graphOutputs.ts";
import type { Roles } from "./graphRoles.ts";
import {
  attributeOf,
  flowOf,
  flowsOf,
  type Constant,
  type Flow,
  type Value,
} from "./graphValues.ts";
import { weightUseOf } from "./graphWeights.ts";
import type { Graph, GraphNode } from "./schema.ts";

export interface Means {
  readonly constants: ReadonlyMap<string, Constant>;
  readonly roles: Roles;
  readonly tracer: NeuronTracer;
}

export interface Walked {
  readonly layers: readonly WeightLayer[];
  /** Indices of the layers that a loop uses. */
  readonly loopLayers: ReadonlySet<number>;
  /** How many nodes there are of each operator that nobody described. */
  readonly unknown: ReadonlyMap<string, number>;
  /** Weights before which no neurons could be followed. */
  readonly broken: readonly string[];
  /** Weights that the graph computes with before it uses them. */
  readonly scaled: ReadonlySet<string>;
}

/** Outputs that all nodes together may have beside their first. */
const maxOutputs = 2 ** 18;

interface Walk extends Means, Connections {
  outputs: number;
  readonly loopLayers: Set<number>;
  readonly unknown: Map<string, number>;
}

/** Outputs by node name, and the nodes themselves. */
interface Scope {
  readonly values: Map<string, readonly Value[]>;
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly readersOf: ReadonlyMap<string, readonly GraphNode[]>;
  readonly around: Around;
  readonly calls: Calls;
  /** The Merge that each NextIteration goes back to. */
  readonly begins: ReadonlyMap<string, readonly string[]>;
  /** How many loops each node stands in, as Enter and Exit have it. */
  readonly loopDepth: Map<string, number>;
}

/** @throws {FormatError} `FORMAT_LIMIT` for functions that call each other without end */
export function walkGraph(graph: Graph, means: Means): Walked {
  const walk: Walk = {
    ...means,
    outputs: 0,
    layers: [],
    loopLayers: new Set(),
    unknown: new Map(),
    broken: [],
    scaled: new Set(),
  };
  const walkNodes: WalkNodes = (nodes, values, around) => {
    const scope: Scope = {
      values,
      nodes: new Map(nodes.map((node) => [node.name, node])),
      readersOf: readersIn(nodes),
      around,
      calls,
      begins: loopBegins(nodes),
      loopDepth: new Map(),
    };
    for (const node of topologicalOrder(nodes)) {
      const outputs = visit(node, scope, walk);
      walk.outputs += Math.max(0, outputs.length - 1);
      if (walk.outputs > maxOutputs) throw tooManyOutputs(node);
      values.set(node.name, outputs);
    }
    return (edge) => valueAt(edge, scope);
  };
  const calls = functionCalls(graph, walkNodes, means.tracer);
  walkNodes(graph.nodes, new Map(), { depth: 0, isLoop: false });
  return walk;
}

function tooManyOutputs({ name }: GraphNode): FormatError {
  return new FormatError("FORMAT_LIMIT", `the nodes have more than ${maxOutputs} outputs`, {
    path: ["node", name],
  });
}

function loopBegins(nodes: readonly GraphNode[]): Map<string, string[]> {
  const begins = new Map<string, string[]>();
  for (const { op, name, input } of nodes) {
    if (op !== "Merge") continue;
    for (const own of input)
      begins.set(nodeName(own), [...(begins.get(nodeName(own)) ?? []), name]);
  }
  return begins;
}

function valueAt(edge: string, { values, nodes }: Scope): Value {
  const name = nodeName(edge);
  return values.get(name)?.[outputPlace(edge, nodes.get(name)?.op ?? "")] ?? null;
}

function visit(node: GraphNode, scope: Scope, walk: Walk): readonly Value[] {
  const { tracer, roles, constants } = walk;
  const inLoop = enterLoops(node, scope);
  const constant = node.op === "Const" ? constants.get(node.name) : undefined;
  if (constant !== undefined) return [constant];
  if (node.op.startsWith("Placeholder")) return [placeholder(node, tracer)];
  const inputs = node.input
    .filter((input) => !input.startsWith("^"))
    .map((input) => valueAt(input, scope));
  const use = weightUseOf(node, inputs);
  if (use !== null) {
    roles.noteFused(node, inputs, use.weight);
    const output = connectUse(node, use, walk);
    if (inLoop) walk.loopLayers.add(walk.layers.length - 1);
    else noteBias(node, { inputs, output }, { scope, walk });
    return [fusedSum(node, [output, ...inputs.slice(2)], tracer)];
  }
  roles.noteSides(node, inputs);
  const steered = controlOutputs(node, inputs, { scope, tracer });
  if (steered !== null) return steered;
  const { values: outputs, known } = outputsOf(node, inputs, tracer);
  if (!known) walk.unknown.set(node.op, (walk.unknown.get(node.op) ?? 0) + 1);
  return outputs;
}

function noteBias(
  node: GraphNode,
  { inputs, output }: { inputs: readonly Value[]; output: Flow },
  { scope, walk }: { scope: Scope; walk: Walk },
): void {
  const { readersOf } = scope;
  const layer = walk.layers.at(-1)!;
  const valueOf = (edge: string): Value =>
    valueAt(edge, scope) ?? walk.constants.get(nodeName(edge)) ?? null;
  const bias = biasOfUse(node, { layer, inputs, output, readersOf, valueOf });
  if (bias !== undefined) walk.layers[walk.layers.length - 1] = { ...layer, bias };
}

function controlOutputs(
  node: GraphNode,
  inputs: readonly Value[],
  { scope, tracer }: { scope: Scope; tracer: NeuronTracer },
): readonly Value[] | null {
  const listed = listOutputs(node, inputs);
  if (listed !== null) return listed;
  if (node.op === "Switch" || node.op === "RefSwitch")
    return [inputs[0] ?? null, inputs[0] ?? null];
  if (node.op === "Merge" || node.op === "RefMerge")
    return [merged(node, inputs, { scope, tracer })];
  if (node.op === "NextIteration") return [closed(node, inputs[0] ?? null, { scope, tracer })];
  if (node.op === "Exit") {
    const ends = loopEnds(node, scope.nodes).map(({ name }) => scope.values.get(name)?.[0] ?? null);
    return [unitedValue([...ends, inputs[0] ?? null], tracer)];
  }
  return scope.calls.outputsOf(node, inputs, scope.around);
}

interface Place {
  readonly scope: Scope;
  readonly tracer: NeuronTracer;
}

/** Where a loop begins its rounds, or two branches meet. */
function merged(node: GraphNode, inputs: readonly Value[], { scope, tracer }: Place): Value {
  const isLoop = node.input.some(
    (input) => scope.nodes.get(nodeName(input))?.op === "NextIteration",
  );
  if (!isLoop) return unitedValue(inputs, tracer);
  const initial = inputs.find((_, i) => {
    const operand = scope.nodes.get(nodeName(node.input[i] ?? ""));
    return operand?.op !== "NextIteration";
  });
  return loopState(initial ?? null, node.name, tracer);
}

/** What a round ends with is what the next one begins with. */
function closed(node: GraphNode, end: Value, { scope, tracer }: Place): Value {
  const begins = scope.begins.get(node.name) ?? [];
  const states = begins.map((name) => scope.values.get(name)?.[0] ?? null);
  return unitedValue([end, ...states], tracer);
}

/** True for a node whose operands come round after round: inside a While, or between Enter and Exit. */
function enterLoops({ name, op, input }: GraphNode, { around, loopDepth }: Scope): boolean {
  const outside = input.reduce((most, own) => Math.max(most, loopDepth.get(nodeName(own)) ?? 0), 0);
  const depth = outside + (op === "Enter" ? 1 : op === "Exit" ? -1 : 0);
  loopDepth.set(name, Math.max(0, depth));
  return around.isLoop || depth > 0;
}

function placeholder(node: GraphNode, tracer: NeuronTracer): Value {
  const shape = attributeOf(node, "shape")["shape"] as { dim?: unknown } | undefined;
  const dims = Array.isArray(shape?.dim) ? (shape.dim as { size?: unknown }[]) : null;
  const size = Number(dims?.at(-1)?.size ?? -1);
  const isSize = dims !== null && dims.length > 1 && Number.isSafeInteger(size) && size > 0;
  return flowOf(tracer.source(node.name, isSize ? size : null), 0, dims?.length ?? null);
}

/** `fused_ops` with an Add: the output is summed with another flow. */
function fusedSum(node: GraphNode, values: readonly Value[], tracer: NeuronTracer): Value {
  if (!/^_?Fused/.test(node.op)) return values[0] ?? null;
  return uniteFlows(flowsOf(values), tracer);
}
