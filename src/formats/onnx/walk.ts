/** Walks the nodes in order, folding what is constant, placing weights, and following the neurons. */
import { FormatError } from "../../errors.ts";
import type { Geometry } from "../../model/geometry.ts";
import type { NeuronIds } from "../../model/topology.ts";
import { bitsOf, isFloat } from "../../tensor/dtype.ts";
import { elementCount } from "../../tensor/shape.ts";
import { unknownActivation } from "./activation.ts";
import { additionTrace } from "./additions.ts";
import { collector, type Collected } from "./collector.ts";
import { constantOf, foldLimit, type Constant } from "./constant.ts";
import { constantNode } from "./constantNode.ts";
import { callControlFlow, isControlFlow, walkInnerGraphs } from "./controlFlow.ts";
import { folds } from "./fold.ts";
import { geometryTrace, inputPlace } from "./geometry.ts";
import { inOrder } from "./nodeOrder.ts";
import { nodeReader, type NodeReader, type NodeReaderSource } from "./nodeReader.ts";
import type { Call, Consumer, Value } from "./operator.ts";
import { isPlain, ruleFor } from "./operators/table.ts";
import type { Place } from "./place.ts";
import type { OnnxFunction, OnnxGraph, OnnxModel, OnnxNode } from "./schema.ts";
import { openInput, type Scope, type Walk } from "./scope.ts";
import { shapeValueOf } from "./shapeValues.ts";

/** Steps in all, since functions may call functions: far beyond any network, short of a hang. */
const stepLimit = 250_000;
const callDepthLimit = 64;
/** Entries of all lists of neurons together: 256 MiB. */
const placeLimit = 2 ** 26;

/** @throws {FormatError} `FORMAT_LIMIT` where functions call each other without end; whatever a constant's `read` throws. */
export async function walkModel(
  model: OnnxModel,
  name: string,
): Promise<Collected & { readonly geometry: Geometry }> {
  const collect = collector();
  const trace = geometryTrace();
  const additions = additionTrace();
  const functions = new Map(
    model.functions.map((own) => [`${own.domain}:${own.name}:${own.overload}`, own]),
  );
  const counted = new WeakSet<NeuronIds>();
  let places = 0;
  let steps = 0;

  /** Lists of neurons are kept as long as the walk lasts. */
  const count = (value: Value, path: readonly (string | number)[]): void => {
    if (value.kind !== "activation" || value.ids === null || counted.has(value.ids)) return;
    counted.add(value.ids);
    places += value.ids.length;
    if (places <= placeLimit) return;
    throw new FormatError("FORMAT_LIMIT", `neurons stand at over ${placeLimit} places`, { path });
  };

  const walkNodes = async (nodes: readonly OnnxNode[], scope: Scope): Promise<void> => {
    if (scope.depth > callDepthLimit) {
      throw new FormatError("FORMAT_LIMIT", `calls nest over ${callDepthLimit} deep`, {
        path: [name],
      });
    }
    for (const [i, node] of inOrder(nodes, [name, "graph"]).entries()) {
      if (++steps > stepLimit) {
        throw new FormatError("FORMAT_LIMIT", `over ${stepLimit} operators to follow`, {
          path: [name],
        });
      }
      const path = [name, "graph", "node", node.name === "" ? i : node.name];
      const reader = nodeReader(node, path, scope.caller);
      const first = collect.kernels().length;
      const outputs = await step(node, reader, scope);
      node.outputs.forEach((output, at) => {
        const value = outputs[at] ?? unknownActivation;
        count(value, path);
        if (output !== "") scope.values.set(output, value);
      });
      await place(node, { reader, scope, first });
    }
  };

  /** Where the node's first output stands; its other outputs are followed no further. */
  const place = async (
    node: OnnxNode,
    { reader, scope, first }: { reader: NodeReader; scope: Scope; first: number },
  ): Promise<void> => {
    const [output = ""] = node.outputs;
    const made = scope.values.get(output);
    const added = collect.kernels().slice(first);
    if (made?.kind === "constant" && added.length === 0) return;
    const inputs = node.inputs.map((input) => (input === "" ? undefined : lookUp(scope, input)));
    const places = node.inputs.map((input, i) =>
      inputs[i]?.kind === "activation" ? (placeIn(scope, input) ?? lost) : undefined,
    );
    const call: Call = { node: reader, inputs, collect, consumers: () => [] };
    if (made?.kind === "activation") {
      const readers = consumersOf(scope, output).length;
      additions.follow({ call, made, added: added.map((_, i) => first + i), readers });
    }
    const kernels = added.map((kernel, i) => ({ index: first + i, kernel }));
    scope.places.set(output, await trace.follow({ call, places, added: kernels }));
  };

  const walk: Walk = {
    collect,
    async graph(graph, outer, inputs) {
      const scope = newScope(graph.nodes, outer, outer.depth + 1);
      graph.inputs.forEach((input, i) => {
        scope.values.set(input.name, inputs[i] ?? unknownActivation);
      });
      addInitializers(graph, scope);
      await walkNodes(graph.nodes, scope);
      return graph.outputs.map((output) => lookUp(scope, output));
    },
  };

  const callFunction = async (
    own: OnnxFunction,
    node: NodeReaderSource,
    scope: Scope,
    inputs: readonly (Value | undefined)[],
  ): Promise<readonly (Value | undefined)[]> => {
    const caller: NodeReaderSource = { find: (name) => node.find(name) ?? own.defaults.get(name) };
    const inner = { ...newScope(own.nodes, null, scope.depth + 1), caller };
    own.inputs.forEach((input, i) => {
      const value = inputs[i];
      if (value !== undefined) inner.values.set(input, value);
    });
    await walkNodes(own.nodes, inner);
    return own.outputs.map((output) => lookUp(inner, output));
  };

  const step = async (
    node: OnnxNode,
    reader: NodeReader & NodeReaderSource,
    scope: Scope,
  ): Promise<readonly (Value | undefined)[]> => {
    const inputs = node.inputs.map((input) => (input === "" ? undefined : lookUp(scope, input)));
    const own = functions.get(`${node.domain}:${node.opType}:${node.overload}`);
    if (own !== undefined) return callFunction(own, reader, scope, inputs);
    if (node.opType === "Constant") return [constantNode(reader)];
    if (isControlFlow(node.opType)) return callControlFlow(walk, reader, scope, inputs);
    const constants = inputs.filter((value) => value?.kind === "constant");
    const fold = folds.get(node.opType);
    const cost = constants.reduce((sum, constant) => sum + constant.cost, 0);
    const isConstant = inputs.every((value) => value?.kind !== "activation");
    if (fold !== undefined && isConstant && cost > 0 && cost <= foldLimit) {
      const folded = await fold(reader, inputs);
      if (folded !== null) return "kind" in folded ? [folded] : folded;
    }
    const call: Call = {
      node: reader,
      inputs,
      collect,
      consumers: (output) => consumersOf(scope, output),
    };
    const shape = await shapeValueOf(call);
    if (shape !== null) return [shape];
    await walkInnerGraphs(walk, reader, scope);
    const rule = ruleFor(node.opType);
    const result = rule === null ? [] : await rule(call);
    if ("kind" in result) return [result];
    if (isPlain(node.opType)) return result;
    // Of constants alone and not folded, or not known: a weight may have been lost here.
    if (rule === null) noteUnknown(call, constants, { isNamed: reader.graphs.length === 0 });
    else if (isConstant) noteUnknown(call, constants, { isNamed: false });
    return result;
  };

  const scope = newScope(model.graph.nodes, null, 0);
  addInitializers(model.graph, scope);
  for (const input of model.graph.inputs) {
    // Up to IR 3 every initializer is an input as well.
    if (scope.values.has(input.name)) continue;
    scope.values.set(input.name, openInput(input));
    scope.places.set(input.name, inputPlace(input));
  }
  await walkNodes(model.graph.nodes, scope);
  return { ...collect.finish(model.tensors, additions.found), geometry: trace.finish() };
}

/** Of a value that came by a way that positions are not followed along. */
const lost: Place = {
  kind: "lost",
  reason: "a function or an inner graph is not followed to positions",
};

function newScope(nodes: readonly OnnxNode[], outer: Scope | null, depth: number): Scope {
  const producers = new Map<string, OnnxNode>();
  const consumers = new Map<string, OnnxNode[]>();
  for (const node of nodes) {
    for (const output of node.outputs) producers.set(output, node);
    for (const input of new Set(node.inputs)) {
      const readers = consumers.get(input);
      if (readers === undefined) consumers.set(input, [node]);
      else readers.push(node);
    }
  }
  return { values: new Map(), places: new Map(), outer, depth, producers, consumers };
}

function addInitializers(graph: OnnxGraph, { values }: Scope): void {
  for (const record of graph.initializers) {
    const isRead = record.unreadable === undefined;
    values.set(record.name, isRead ? constantOf(record) : unknownActivation);
  }
}

function lookUp(scope: Scope, name: string): Value {
  for (let at: Scope | null = scope; at !== null; at = at.outer) {
    const value = at.values.get(name);
    if (value !== undefined) return value;
  }
  return unknownActivation;
}

function placeIn(scope: Scope, name: string): Place | undefined {
  for (let at: Scope | null = scope; at !== null; at = at.outer) {
    const place = at.places.get(name);
    if (place !== undefined) return place;
  }
  return undefined;
}

/**
 * An unknown operator: what it takes as a weight stays unexplained, in the open. One that is `isNamed` is counted in any case,
 * others where they take a weight.
 */
function noteUnknown(
  { node, collect }: Call,
  constants: readonly Constant[],
  { isNamed }: { isNamed: boolean },
): void {
  const weighty = constants.filter(
    ({ dtype, quantisation, shape }) =>
      (isFloat(dtype) || bitsOf(dtype) <= 8 || quantisation !== undefined) &&
      dtype !== "bool" &&
      shape.length >= 2 &&
      elementCount(shape) > 1,
  );
  for (const constant of weighty) collect.claim(constant, "unknown");
  if (isNamed || weighty.length > 0) collect.unknownOperator(node.opType);
}

function consumersOf(scope: Scope, output: string): Consumer[] {
  const wrap = (node: OnnxNode): Consumer => ({
    opType: node.opType,
    inputs: node.inputs,
    outputs: node.outputs,
    constant(input) {
      const value = lookUp(scope, input);
      return value.kind === "constant" ? value : null;
    },
    producer(input) {
      const made = scope.producers.get(input);
      return made ? wrap(made) : null;
    },
  });
  return (scope.consumers.get(output) ?? []).map(wrap);
}
