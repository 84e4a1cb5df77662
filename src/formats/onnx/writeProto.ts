/** Messages of onnx.proto to be written. */
import type { Piece } from "../../bytes/pieces.ts";
import {
  joined,
  lengthField,
  textField,
  varintField,
  type Fields,
} from "../../bytes/protobufWrite.ts";
import type { DType } from "../../tensor/dtype.ts";
import type { Shape } from "../../tensor/shape.ts";
import { codeOf } from "./tensorProto.ts";

/** A tensor with what it is made of. */
export interface WrittenTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly pieces: readonly Piece[];
}

export interface WrittenNode {
  readonly opType: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, number | string | readonly number[]>>;
}

/** A graph's input or output; a text dimension is symbolic, null declares none. */
export interface WrittenValue {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly (number | string)[] | null;
}

export interface WrittenGraph {
  readonly name: string;
  readonly nodes: readonly WrittenNode[];
  readonly tensors: readonly WrittenTensor[];
  readonly inputs: readonly WrittenValue[];
  readonly outputs: readonly WrittenValue[];
}

export function modelProto(
  graph: WrittenGraph,
  { irVersion, opset }: { irVersion: number; opset: number },
): readonly Piece[] {
  return joined([
    ...varintField(1, irVersion),
    ...textField(2, "weightgraph"),
    ...lengthField(8, [...textField(1, ""), ...varintField(2, opset)]),
    ...lengthField(7, graphProto(graph)),
  ]);
}

function graphProto({ name, nodes, tensors, inputs, outputs }: WrittenGraph): Fields {
  return [
    ...nodes.flatMap((node) => lengthField(1, nodeProto(node))),
    ...textField(2, name),
    ...tensors.flatMap((tensor) => lengthField(5, tensorProto(tensor))),
    ...inputs.flatMap((input) => lengthField(11, valueInfo(input))),
    ...outputs.flatMap((output) => lengthField(12, valueInfo(output))),
  ];
}

function nodeProto({ opType, inputs, outputs, attributes = {} }: WrittenNode): Fields {
  return [
    ...inputs.flatMap((input) => textField(1, input)),
    ...outputs.flatMap((output) => textField(2, output)),
    ...textField(4, opType),
    ...Object.entries(attributes).flatMap(([name, value]) =>
      lengthField(5, [...textField(1, name), ...attributeValue(value)]),
    ),
  ];
}

/** AttributeProto: INT is of type 2, STRING 3, INTS 7. */
function attributeValue(value: number | string | readonly number[]): Fields {
  if (typeof value === "number") return [...varintField(3, value), ...varintField(20, 2)];
  if (typeof value === "string") return [...textField(4, value), ...varintField(20, 3)];
  return [...value.flatMap((own) => varintField(8, own)), ...varintField(20, 7)];
}

function tensorProto({ name, dtype, shape, pieces }: WrittenTensor): Fields {
  return [
    ...shape.flatMap((size) => varintField(1, size)),
    ...varintField(2, codeOf(dtype)!),
    ...textField(8, name),
    ...lengthField(9, pieces),
  ];
}

function valueInfo({ name, dtype, shape }: WrittenValue): Fields {
  const dims = shape?.flatMap((size) =>
    lengthField(1, typeof size === "number" ? varintField(1, size) : textField(2, size)),
  );
  const type = [...varintField(1, codeOf(dtype)!), ...(dims ? lengthField(2, dims) : [])];
  return [...textField(1, name), ...lengthField(2, lengthField(1, type))];
}
