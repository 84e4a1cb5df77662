/** ModelProto and what it holds, down to nodes and attributes; tensors stay in the file. Numbers are those of onnx.proto. */
import type { ByteSource } from "../../bytes/source.ts";
import {
  packedVarints,
  protobufScan,
  signedValue,
  type ProtobufField,
  type ProtobufScan,
  type Span,
} from "../../bytes/protobuf.ts";
import { FormatError } from "../../errors.ts";
import type {
  Dimension,
  ErrorPath,
  OnnxAttribute,
  OnnxFunction,
  OnnxGraph,
  OnnxInput,
  OnnxModel,
  OnnxNode,
  TensorRecord,
} from "./schema.ts";
import { readSparseTensor } from "./sparseTensor.ts";
import { readEntry, readTensorProto } from "./tensorProto.ts";

/** Graphs inside graphs: deeper than any exporter nests, shallow enough for the stack. */
const graphDepthLimit = 32;
/** Nodes and tensors in all: a megabyte of empty messages would otherwise take a gigabyte. */
const partLimit = 2_000_000;

interface Reading {
  readonly source: ByteSource;
  readonly scan: ProtobufScan;
  readonly tensors: TensorRecord[];
  parts: number;
}

/**
 * The structure of an ONNX file. Cost: one pass over the file that skips tensor values.
 * @throws {FormatError} `FORMAT_TRUNCATED`, `FORMAT_MALFORMED`, `FORMAT_LIMIT`, `FORMAT_UNSUPPORTED`, `FILE_*` for external data.
 */
export async function readModelProto(source: ByteSource): Promise<OnnxModel> {
  const reading: Reading = { source, scan: protobufScan(source), tensors: [], parts: 0 };
  const { scan } = reading;
  const path = [source.name];
  const opsets: Record<string, number> = {};
  const properties: Record<string, string> = {};
  const functions: OnnxFunction[] = [];
  let irVersion: number | null = null;
  let producer = "";
  let producerVersion = "";
  let graph: OnnxGraph | null = null;
  await scan.fields({ start: 0, end: source.byteLength }, path, async (field) => {
    if (field.number === 1) irVersion = signedValue(field);
    else if (field.number === 2) producer = await scan.text(field);
    else if (field.number === 3) producerVersion = await scan.text(field);
    else if (field.number === 7) graph = await readGraph(reading, field, [...path, "graph"], 0);
    else if (field.number === 8) await readOpset(scan, field, [...path, "opset_import"], opsets);
    else if (field.number === 14) {
      const [key, value] = await readEntry(scan, field, [...path, "metadata_props"]);
      Object.defineProperty(properties, key, { value, enumerable: true, configurable: true });
    } else if (field.number === 25) {
      functions.push(await readFunction(reading, field, [...path, "functions", functions.length]));
    }
  });
  if (graph === null) {
    throw new FormatError("FORMAT_TRUNCATED", "the file ends before its graph", {
      path,
      hint: "The file is cut short: fetch it again.",
    });
  }
  const { tensors } = reading;
  return { irVersion, producer, producerVersion, opsets, properties, graph, functions, tensors };
}

function countPart(reading: Reading, path: ErrorPath): void {
  if (++reading.parts > partLimit) {
    throw new FormatError("FORMAT_LIMIT", `over ${partLimit} nodes and tensors`, { path });
  }
}

async function readOpset(
  scan: ProtobufScan,
  span: Span,
  path: ErrorPath,
  opsets: Record<string, number>,
): Promise<void> {
  let domain = "";
  let version = 0;
  await scan.fields(span, path, async (field) => {
    if (field.number === 1) domain = await scan.text(field);
    else if (field.number === 2) version = signedValue(field);
  });
  Object.defineProperty(opsets, domain, { value: version, enumerable: true, configurable: true });
}

async function readGraph(
  reading: Reading,
  span: Span,
  path: ErrorPath,
  depth: number,
): Promise<OnnxGraph> {
  if (depth > graphDepthLimit) {
    throw new FormatError("FORMAT_LIMIT", `graphs nest over ${graphDepthLimit} deep`, { path });
  }
  const { scan } = reading;
  const nodes: OnnxNode[] = [];
  const initializers: TensorRecord[] = [];
  const inputs: OnnxInput[] = [];
  const outputs: string[] = [];
  let index = 0;
  const keep = (tensor: TensorRecord | null): void => {
    if (tensor === null) return;
    initializers.push(tensor);
    reading.tensors.push(tensor);
  };
  await scan.fields(span, path, async (field) => {
    if (field.number === 1) {
      nodes.push(await readNode(reading, field, [...path, "node", nodes.length], depth));
    } else if (field.number === 5) {
      const own = [...path, "initializer", index++];
      countPart(reading, own);
      keep(await readTensorProto(reading.source, scan, { span: field, path: own }));
    } else if (field.number === 11) {
      inputs.push(await readValueInfo(scan, field, [...path, "input", inputs.length]));
    } else if (field.number === 12) {
      outputs.push((await readValueInfo(scan, field, [...path, "output", outputs.length])).name);
    } else if (field.number === 15) {
      const own = [...path, "sparse_initializer"];
      countPart(reading, own);
      keep(await readSparseTensor(reading.source, scan, field, own));
    }
  });
  return { nodes, initializers, inputs, outputs };
}

async function readFunction(reading: Reading, span: Span, path: ErrorPath): Promise<OnnxFunction> {
  const { scan } = reading;
  let name = "";
  let domain = "";
  const inputs: string[] = [];
  const outputs: string[] = [];
  const nodes: OnnxNode[] = [];
  await scan.fields(span, path, async (field) => {
    if (field.number === 1) name = await scan.text(field);
    else if (field.number === 4) inputs.push(await scan.text(field));
    else if (field.number === 5) outputs.push(await scan.text(field));
    else if (field.number === 7) {
      nodes.push(await readNode(reading, field, [...path, "node", nodes.length], 0));
    } else if (field.number === 10) domain = await scan.text(field);
  });
  return { name, domain, inputs, outputs, nodes };
}

async function readNode(
  reading: Reading,
  span: Span,
  path: ErrorPath,
  depth: number,
): Promise<OnnxNode> {
  const { scan } = reading;
  countPart(reading, path);
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: Span[] = [];
  let name = "";
  let opType = "";
  let domain = "";
  await scan.fields(span, path, async (field) => {
    if (field.number === 1) inputs.push(await scan.text(field));
    else if (field.number === 2) outputs.push(await scan.text(field));
    else if (field.number === 3) name = await scan.text(field);
    else if (field.number === 4) opType = await scan.text(field);
    else if (field.number === 5) attributes.push(field);
    else if (field.number === 7) domain = await scan.text(field);
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
    const tensor = read.get("value")?.tensor;
    if (tensor) reading.tensors.push(tensor);
  }
  return {
    name,
    opType,
    domain: domain === "ai.onnx" ? "" : domain,
    inputs,
    outputs,
    attributes: read,
  };
}

async function readAttribute(
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
        countPart(reading, inside);
        attribute.tensor = await readTensorProto(source, scan, {
          span: field,
          path: inside,
          name: tensorName,
        });
        break;
      case 6:
        attribute.graph = await readGraph(reading, field, inside, depth + 1);
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

/** ValueInfoProto: a name, and type (2) . tensor_type (1) . shape (2) . dim (1) . dim_value (1), where declared. */
async function readValueInfo(scan: ProtobufScan, span: Span, path: ErrorPath): Promise<OnnxInput> {
  let name = "";
  let shape: Dimension[] | null = null;
  const inside = (
    field: ProtobufField,
    number: number,
    then: (inner: ProtobufField) => Promise<void>,
  ) =>
    scan.fields(field, path, async (inner) => {
      if (inner.number === number && inner.wire === 2) await then(inner);
    });
  await scan.fields(span, path, async (field) => {
    if (field.number === 1) name = await scan.text(field);
    if (field.number !== 2) return;
    await inside(field, 1, (tensorType) =>
      inside(tensorType, 2, async (shapeProto) => {
        const own: Dimension[] = (shape ??= []);
        await inside(shapeProto, 1, async (dimension) => {
          let size: Dimension = null;
          await scan.fields(dimension, path, (value) => {
            if (value.number === 1) size = positive(signedValue(value));
          });
          if (own.length < 64) own.push(size);
        });
      }),
    );
  });
  return { name, shape };
}

/** Exporters write 0 or -1 for a dimension that is not fixed. */
function positive(size: number): Dimension {
  return Number.isSafeInteger(size) && size > 0 ? size : null;
}
