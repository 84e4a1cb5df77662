/** NodeProto and AttributeProto. */
import type { ByteSource } from "../../bytes/source.ts";
import {
  packedVarints,
  signedValue,
  type ProtobufField,
  type ProtobufScan,
  type Span,
} from "../../bytes/protobuf.ts";
import { FormatError } from "../../errors.ts";
import type { ErrorPath, OnnxAttribute, OnnxGraph, OnnxNode, TensorRecord } from "./schema.ts";
import { readSparseTensor } from "./sparseTensor.ts";
import { readTensorProto } from "./tensorProto.ts";

/** Fields of graphs and nodes in all: some hundred thousand nodes. A megabyte of empty ones would otherwise take a gigabyte. */
const partLimit = 1_000_000;

/** One file being read. */
export interface Reading {
  readonly source: ByteSource;
  readonly scan: ProtobufScan;
  readonly tensors: TensorRecord[];
  parts: number;
  stringTensors: number;
  /** Reads a graph inside an attribute, `depth` graphs deep. */
  readonly graph: (span: Span, path: ErrorPath, depth: number) => Promise<OnnxGraph>;
}

/**
 * The fields of a model, graph, function or node, counted.
 * @throws {FormatError} `FORMAT_LIMIT`, and as `ProtobufScan.fields`.
 */
export function scanParts(
  reading: Reading,
  span: Span,
  path: ErrorPath,
  visit: (field: ProtobufField) => Promise<void>,
): Promise<void> {
  return reading.scan.fields(span, path, (field) => {
    if (++reading.parts > partLimit) {
      throw new FormatError("FORMAT_LIMIT", `over ${partLimit} parts of graphs`, { path });
    }
    return visit(field);
  });
}

export async function readNode(
  reading: Reading,
  span: Span,
  path: ErrorPath,
  depth: number,
): Promise<OnnxNode> {
  const { scan } = reading;
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: Span[] = [];
  let name = "";
  let opType = "";
  let domain = "";
  let overload = "";
  await scanParts(reading, span, path, async (field) => {
    if (field.number === 1) inputs.push(await scan.text(field));
    else if (field.number === 2) outputs.push(await scan.text(field));
    else if (field.number === 3) name = await scan.text(field);
    else if (field.number === 4) opType = await scan.text(field);
    else if (field.number === 5) attributes.push(field);
    else if (field.number === 7) domain = await scan.text(field);
    else if (field.number === 8) overload = await scan.text(field);
  });
  // A Constant's tensor is called after its output, which may stand behind the attribute.
  const read = new Map<string, OnnxAttribute>();
  for (const attribute of attributes) {
    const own = await readAttribute(reading, attribute, {
      path,
      depth,
      tensorName: outputs[0] ?? "",
    });
    read.set(own.name, own);
  }
  if (opType === "Constant") {
    const tensor = (read.get("value") ?? read.get("sparse_value"))?.tensor;
    if (tensor) reading.tensors.push(tensor);
  }
  return {
    name,
    opType,
    domain: plainDomain(domain),
    overload,
    inputs,
    outputs,
    attributes: read,
  };
}

/** ONNX's own domain has two names. */
export function plainDomain(domain: string): string {
  return domain === "ai.onnx" ? "" : domain;
}

export async function readAttribute(
  reading: Reading,
  span: Span,
  { path, depth, tensorName }: { path: ErrorPath; depth: number; tensorName: string },
): Promise<OnnxAttribute> {
  const { scan, source } = reading;
  const attribute = {
    name: "",
    reference: "",
    float: null as number | null,
    int: null as number | null,
    text: null as string | null,
    floats: [] as number[],
    ints: [] as number[],
    tensor: null as TensorRecord | null,
    graph: null as OnnxGraph | null,
  };
  const own = [...path, "attribute"];
  const keepTensor = (tensor: TensorRecord | null): void => {
    if (tensor === null) reading.stringTensors++;
    attribute.tensor = tensor;
  };
  await scan.fields(span, own, async (field) => {
    const inside = [...own, attribute.name];
    switch (field.number) {
      case 1:
        attribute.name = await scan.text(field);
        break;
      case 2:
        attribute.float = (await fixedFloats(scan, field))[0] ?? null;
        break;
      case 3:
        attribute.int = signedValue(field);
        break;
      case 4:
        attribute.text = await scan.text(field);
        break;
      case 5:
        keepTensor(
          await readTensorProto(source, scan, { span: field, path: inside, name: tensorName }),
        );
        break;
      case 6:
        attribute.graph = await reading.graph(field, inside, depth + 1);
        break;
      case 7:
        for (const value of await fixedFloats(scan, field)) attribute.floats.push(value);
        break;
      case 8:
        if (field.wire === 0) attribute.ints.push(signedValue(field));
        else
          for (const value of packedVarints(await scan.bytes(field), inside))
            attribute.ints.push(value);
        break;
      case 22:
        keepTensor(
          await readSparseTensor(source, scan, { span: field, path: inside, name: tensorName }),
        );
        break;
      case 21:
        attribute.reference = await scan.text(field);
        break;
    }
  });
  return attribute;
}

async function fixedFloats(scan: ProtobufScan, field: ProtobufField): Promise<number[]> {
  const bytes = await scan.bytes(field);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values: number[] = [];
  for (let at = 0; at + 4 <= bytes.byteLength; at += 4) values.push(view.getFloat32(at, true));
  return values;
}
