/** Small ONNX files, encoded by onnx-proto: independent of the reader under test. */
import onnxProto from "onnx-proto";
import type { onnx } from "onnx-proto";
import { createRandom } from "../../src/random.ts";

const { ModelProto, AttributeProto } = onnxProto.onnx;
const { AttributeType } = AttributeProto;

export type Tensor = onnx.ITensorProto;
export type Graph = onnx.IGraphProto;
export type GraphNode = onnx.INodeProto;

export interface OnnxModelParts extends GraphParts {
  readonly irVersion?: number;
  readonly functions?: onnx.IFunctionProto[];
  readonly opset?: number;
  /** Version of com.microsoft's operators, where the model has some. */
  readonly microsoft?: number;
}

export interface GraphParts {
  readonly nodes: readonly GraphNode[];
  readonly initializers?: readonly Tensor[];
  readonly sparse?: readonly onnx.ISparseTensorProto[];
  /** Name and dimensions; a text dimension is symbolic, null declares none. */
  readonly inputs?: Readonly<Record<string, readonly (number | string)[] | null>>;
  readonly outputs?: readonly string[];
}

/** The bytes of a model. */
export function onnxModel({
  irVersion = 8,
  functions = [],
  opset = 15,
  microsoft,
  ...parts
}: OnnxModelParts): Uint8Array {
  const message = ModelProto.create({
    irVersion,
    producerName: "test",
    producerVersion: "1",
    opsetImport: [
      { domain: "", version: opset },
      ...(microsoft === undefined ? [] : [{ domain: "com.microsoft", version: microsoft }]),
    ],
    graph: graph(parts),
    functions,
  });
  return new Uint8Array(ModelProto.encode(message).finish());
}

export function graph({
  nodes,
  initializers = [],
  sparse = [],
  inputs = {},
  outputs,
}: GraphParts): Graph {
  const last = nodes.at(-1)?.output?.[0];
  const named = outputs ?? (typeof last === "string" ? [last] : []);
  return {
    name: "g",
    node: [...nodes],
    initializer: [...initializers],
    sparseInitializer: [...sparse],
    input: Object.entries(inputs).map(([name, dims]) => ({
      name,
      type: { tensorType: { elemType: 1, ...(dims && { shape: shapeOf(dims) }) } },
    })),
    output: named.map((name) => ({ name, type: { tensorType: { elemType: 1 } } })),
  };
}

function shapeOf(dims: readonly (number | string)[]): onnx.ITensorShapeProto {
  return {
    dim: dims.map((size) => (typeof size === "string" ? { dimParam: size } : { dimValue: size })),
  };
}

export type AttributeValue =
  | number
  | string
  | readonly number[]
  | Tensor
  | { readonly graph: Graph }
  | { readonly floats: readonly number[] }
  | { readonly float: number };

/** A node of com.microsoft's domain. */
export function microsoftNode(...parts: Parameters<typeof node>): GraphNode {
  return { ...node(...parts), domain: "com.microsoft" };
}

/** A node; whole numbers are `i`, lists `ints`, `{ float }` is `f`, `{ floats }` its list. */
export function node(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
): GraphNode {
  return {
    opType,
    input: [...inputs],
    output: [...outputs],
    attribute: Object.entries(attributes).map(([name, value]) => ({ name, ...attribute(value) })),
  };
}

function attribute(value: AttributeValue): onnx.IAttributeProto {
  if (typeof value === "number") return { type: AttributeType.INT, i: value };
  if (typeof value === "string")
    return { type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if (Array.isArray(value)) return { type: AttributeType.INTS, ints: [...(value as number[])] };
  if ("graph" in value) return { type: AttributeType.GRAPH, g: value.graph };
  if ("float" in value) return { type: AttributeType.FLOAT, f: value.float };
  if ("floats" in value) return { type: AttributeType.FLOATS, floats: [...value.floats] };
  return { type: AttributeType.TENSOR, t: value as Tensor };
}

/** A float32 tensor in `raw_data`; seeded values by its name where none are given. */
export function tensor(name: string, dims: readonly number[], values?: readonly number[]): Tensor {
  const count = dims.reduce((a, b) => a * b, 1);
  const random = createRandom(count).fork(name);
  const own = Float32Array.from(values ?? Array.from({ length: count }, () => random.normal()));
  return { name, dims: [...dims], dataType: 1, rawData: new Uint8Array(own.buffer) };
}

/** int64 values in `int64_data`. */
export function integers(
  name: string,
  values: readonly number[],
  dims?: readonly number[],
): Tensor {
  return { name, dims: [...(dims ?? [values.length])], dataType: 7, int64Data: [...values] };
}

/** int8 values in `raw_data`. */
export function bytes(name: string, dims: readonly number[], values: readonly number[]): Tensor {
  return {
    name,
    dims: [...dims],
    dataType: 3,
    rawData: new Uint8Array(Int8Array.from(values).buffer),
  };
}

/** LeNet-5 on 3 x 32 x 32: two convolutions, three dense layers, as exporters write them. */
export function leNet(): Uint8Array {
  return onnxModel({
    inputs: { input: ["N", 3, 32, 32] },
    initializers: [
      tensor("conv1.weight", [6, 3, 5, 5]),
      tensor("conv1.bias", [6]),
      tensor("conv2.weight", [16, 6, 5, 5]),
      tensor("conv2.bias", [16]),
      tensor("fc1.weight", [120, 400]),
      tensor("fc1.bias", [120]),
      tensor("fc2.weight", [84, 120]),
      tensor("fc2.bias", [84]),
      tensor("fc3.weight", [10, 84]),
      tensor("fc3.bias", [10]),
    ],
    nodes: [
      node("Conv", ["input", "conv1.weight", "conv1.bias"], ["c1"], { kernel_shape: [5, 5] }),
      node("Relu", ["c1"], ["r1"]),
      node("MaxPool", ["r1"], ["p1"], { kernel_shape: [2, 2], strides: [2, 2] }),
      node("Conv", ["p1", "conv2.weight", "conv2.bias"], ["c2"], { kernel_shape: [5, 5] }),
      node("Relu", ["c2"], ["r2"]),
      node("MaxPool", ["r2"], ["p2"], { kernel_shape: [2, 2], strides: [2, 2] }),
      node("Flatten", ["p2"], ["f"], { axis: 1 }),
      node("Gemm", ["f", "fc1.weight", "fc1.bias"], ["d1"], { transB: 1 }),
      node("Relu", ["d1"], ["r3"]),
      node("Gemm", ["r3", "fc2.weight", "fc2.bias"], ["d2"], { transB: 1 }),
      node("Relu", ["d2"], ["r4"]),
      node("Gemm", ["r4", "fc3.weight", "fc3.bias"], ["logits"], { transB: 1 }),
    ],
  });
}
