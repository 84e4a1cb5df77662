import type { StoredTensor, TensorRole, WeightLayer } from "../../model/model.ts";
import { neuronTracer, type Activation, type NeuronTracer } from "../../model/neuronTracer.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { splitAxis, weightLayout, type AxisRole, type WeightLayout } from "../../tensor/layout.ts";
import { elementCount } from "../../tensor/shape.ts";
import { traceWarnings } from "../traceWarnings.ts";
import { outputsOf } from "./graphOps.ts";
import { attributeOf, type Constant, type Value } from "./graphValues.ts";
import { weightUseOf, type WeightUse } from "./graphWeights.ts";
import type { ReadTopology } from "./layersModel.ts";
import { checkGraph, type GraphNode } from "./schema.ts";
import type { Manifest, ManifestTensor } from "./weights.ts";

/** Lists of integers up to this length are read while walking: shapes, permutations, axes. */
const maxNumbers = 64;

/**
 * A graph-model: walks the nodes of a TensorFlow graph in a stable topological order (an operand before its reader, else as in
 * the file). Constants are weights when an operator of `graphWeights.ts` reads them, directly or through transpositions and
 * reshapes. Reads the short integer tensors, since they say where axes go.
 * @throws {FormatError} `FORMAT_MALFORMED`
 */
export async function readGraphModel(
  { tensors, integers }: Manifest,
  modelTopology: unknown,
  path: readonly (string | number)[],
): Promise<ReadTopology> {
  const { nodes } = checkGraph(modelTopology, path);
  const constants = await readConstants(tensors);
  const walk: Walk = {
    tracer: neuronTracer(),
    values: new Map(),
    roles: new Map(),
    layers: [],
    unknown: new Set(),
    broken: [],
  };
  for (const node of topologicalOrder(nodes)) {
    const constant = node.op === "Const" ? constants.get(node.name) : undefined;
    walk.values.set(node.name, constant ? [constant] : visit(node, walk));
  }
  const { tracer, layers, roles } = walk;
  return {
    tensors: tensors.map((tensor) => ({
      ...tensor,
      role: roles.get(tensor.name) ?? roleOf(tensor, integers),
    })),
    layers,
    topology: tracer.finish("declared"),
    warnings: traceWarnings(walk.unknown, [...walk.broken, ...tracer.breaks]),
  };
}

interface Walk {
  readonly tracer: NeuronTracer;
  /** Outputs of each node that was visited. */
  readonly values: Map<string, readonly Value[]>;
  readonly roles: Map<string, TensorRole>;
  readonly layers: WeightLayer[];
  readonly unknown: Set<string>;
  readonly broken: string[];
}

function visit(node: GraphNode, walk: Walk): readonly Value[] {
  const { tracer, values, roles } = walk;
  const inputs = node.input
    .filter((input) => !input.startsWith("^"))
    .map((input): Value => {
      const [name = "", output = "0"] = input.split(":");
      return values.get(name)?.[Number(output)] ?? null;
    });
  if (node.op.startsWith("Placeholder")) return [placeholder(node, tracer)];
  const use = weightUseOf(node, inputs);
  if (use !== null) {
    for (const input of inputs) if (input?.kind === "constant") note(roles, input, "bias");
    return [connect(node, use, walk)];
  }
  const role = sideRole(node.op);
  for (const input of inputs) if (input?.kind === "constant" && role) note(roles, input, role);
  const { values: outputs, known } = outputsOf(node, inputs, tracer);
  if (!known) walk.unknown.add(node.op);
  return outputs;
}

/** What a constant beside the data of an arithmetic operator is. */
function sideRole(op: string): TensorRole | null {
  if (/^(Add|AddV2|BiasAdd|Sub)$/.test(op)) return "bias";
  return /^(Mul|RealDiv|DivNoNan|FusedBatchNorm.*)$/.test(op) ? "normalisation" : null;
}

function note(roles: Map<string, TensorRole>, { tensor }: Constant, role: TensorRole): void {
  const isParameter = isFloat(tensor.dtype) || tensor.quantisation !== undefined;
  if (isParameter && elementCount(tensor.shape) > 1 && !roles.has(tensor.name)) {
    roles.set(tensor.name, role);
  }
}

function placeholder(node: GraphNode, tracer: NeuronTracer): Value {
  const shape = attributeOf(node, "shape")["shape"] as { dim?: unknown } | undefined;
  const dims = Array.isArray(shape?.dim) ? (shape.dim as { size?: unknown }[]) : null;
  const size = Number(dims?.at(-1)?.size ?? -1);
  const isSize = dims !== null && dims.length > 1 && Number.isSafeInteger(size) && size > 0;
  const activation = tracer.source(node.name, isSize ? size : null);
  return { kind: "flow", activation, back: 0, rank: dims?.length ?? null };
}

function connect(node: GraphNode, use: WeightUse, walk: Walk): Value {
  const { tensor } = use.weight;
  walk.roles.set(tensor.name, "weight");
  const from = senders(use, walk);
  const layer = layerOf(node, use, from);
  const activation = walk.tracer.connect({ index: walk.layers.length, layer }, from);
  walk.layers.push(layer);
  return { kind: "flow", activation, back: use.backOut, rank: use.rankOut };
}

/**
 * What the operator reads. The neurons of an input have no place of their own before a first kernel reads them, and a single
 * neuron is the same one on every axis.
 */
function senders({ from, weight, kind, backIn }: WeightUse, walk: Walk): Activation {
  if (kind === "embedding") return walk.tracer.source(`words of ${weight.tensor.name}`, null);
  if (from?.kind === "flow") {
    const { ids, role } = from.activation.neurons;
    if (from.back === backIn || role === "input") return from.activation;
    if (ids?.length === 1) return { ...from.activation, flat: null };
  }
  walk.broken.push(weight.tensor.name);
  return walk.tracer.source(`before ${weight.tensor.name}`, null, "unknown");
}

function layerOf(
  node: GraphNode,
  { weight, kind, roles }: WeightUse,
  from: Activation,
): WeightLayer {
  const { tensor, view } = weight;
  const stored = tensor.shape.map((_, axis): AxisRole => {
    const at = view?.findIndex((own) => own.includes(axis)) ?? -1;
    return roles[at] ?? "tap";
  });
  const layout = grouped(kind, weightLayout(tensor.shape, stored), from);
  return {
    name: tensor.name,
    op: node.op,
    kind,
    tensor,
    in: layout.groups * layout.inPerGroup,
    out: layout.groups * layout.outPerGroup,
    layout,
    sendersKnown: kind === "depthwise" || layout.groups === 1,
  };
}

/** A kernel for fewer channels than there are is applied to groups of them. */
function grouped(kind: WeightUse["kind"], layout: WeightLayout, from: Activation): WeightLayout {
  const groups = (from.neurons.ids?.length ?? 0) / layout.inPerGroup;
  const isGrouped = kind === "conv" && groups > 1 && layout.outPerGroup % groups === 0;
  if (!isGrouped || from.flat !== null) return layout;
  const parts = [
    [groups, "group"],
    [layout.outPerGroup / groups, "out"],
  ] as const;
  return splitAxis(layout, layout.roles.indexOf("out"), parts);
}

async function readConstants(tensors: readonly ManifestTensor[]): Promise<Map<string, Constant>> {
  const constants = new Map<string, Constant>();
  for (const tensor of tensors) {
    const isList = tensor.dtype === "int32" && elementCount(tensor.shape) <= maxNumbers;
    constants.set(tensor.name, {
      kind: "constant",
      tensor: { ...tensor, role: "unknown" } satisfies StoredTensor,
      view: tensor.shape.map((_, axis) => [axis]),
      numbers: isList ? Array.from(await tensor.read()) : null,
    });
  }
  return constants;
}

/** What no operator uses as weights: complex numbers are not understood, whole ones are no parameters. */
function roleOf(tensor: ManifestTensor, integers: ReadonlySet<string>): TensorRole {
  if (integers.has(tensor.name)) return "constant";
  return elementCount(tensor.shape) > 1 ? "unknown" : "constant";
}

/** Depth first from each node in file order, without recursion; an edge that closes a loop is left out. */
function topologicalOrder(nodes: readonly GraphNode[]): GraphNode[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const entered = new Set<GraphNode>();
  const order: GraphNode[] = [];
  for (const start of nodes) {
    const stack = [{ node: start, next: 0 }];
    if (entered.has(start)) continue;
    entered.add(start);
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const input = top.node.input[top.next++];
      if (input === undefined) {
        order.push(top.node);
        stack.pop();
        continue;
      }
      const node = byName.get(input.replace(/^\^/, "").split(":")[0]!);
      if (node === undefined || entered.has(node)) continue;
      entered.add(node);
      stack.push({ node, next: 0 });
    }
  }
  return order;
}
