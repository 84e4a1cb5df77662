/** ModelProto and what it holds, down to nodes and attributes; tensors stay in the file. Numbers are those of onnx.proto. */
import type { ByteSource } from "../../bytes/source.ts";
import { protobufScan, signedValue, type ProtobufScan, type Span } from "../../bytes/protobuf.ts";
import { FormatError } from "../../errors.ts";
import { plainDomain, readAttribute, readNode, scanParts, type Reading } from "./nodeProto.ts";
import type {
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
import { readValueInfo } from "./valueInfo.ts";

/** Graphs inside graphs: deeper than any exporter nests, shallow enough for the stack. */
const graphDepthLimit = 32;

/**
 * The structure of an ONNX file. Cost: one pass over the file that skips tensor values.
 * @throws {FormatError} `FORMAT_TRUNCATED`, `FORMAT_MALFORMED`, `FORMAT_LIMIT`, `FORMAT_UNSUPPORTED`, `FILE_*` for external data.
 */
export async function readModelProto(source: ByteSource): Promise<OnnxModel> {
  const reading: Reading = {
    source,
    scan: protobufScan(source),
    tensors: [],
    parts: 0,
    stringTensors: 0,
    graph: (span, own, depth) => readGraph(reading, span, own, depth),
  };
  const { scan } = reading;
  const path = [source.name];
  const opsets: [string, number][] = [];
  const properties: [string, string][] = [];
  const functions: OnnxFunction[] = [];
  let irVersion: number | null = null;
  let producer = "";
  let producerVersion = "";
  let graph: OnnxGraph | null = null;
  await scanParts(reading, { start: 0, end: source.byteLength }, path, async (field) => {
    if (field.number === 1) irVersion = signedValue(field);
    else if (field.number === 2) producer = await scan.text(field);
    else if (field.number === 3) producerVersion = await scan.text(field);
    else if (field.number === 7) graph = await readGraph(reading, field, [...path, "graph"], 0);
    else if (field.number === 8) {
      opsets.push(await readOpset(scan, field, [...path, "opset_import"]));
    } else if (field.number === 14) {
      properties.push(await readEntry(scan, field, [...path, "metadata_props"]));
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
  return {
    irVersion,
    producer,
    producerVersion,
    opsets: Object.fromEntries(opsets),
    properties: Object.fromEntries(properties),
    graph,
    functions,
    tensors,
    stringTensors: reading.stringTensors,
  };
}

async function readOpset(
  scan: ProtobufScan,
  span: Span,
  path: ErrorPath,
): Promise<[string, number]> {
  let domain = "";
  let version = 0;
  await scan.fields(span, path, async (field) => {
    if (field.number === 1) domain = await scan.text(field);
    else if (field.number === 2) version = signedValue(field);
  });
  return [domain, version];
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
  const names = new Set<string>();
  let index = 0;
  const keep = (tensor: TensorRecord | null): void => {
    if (tensor === null) {
      reading.stringTensors++;
      return;
    }
    if (tensor.name !== "" && names.has(tensor.name)) {
      throw new FormatError("FORMAT_MALFORMED", `two initializers are called ${tensor.name}`, {
        path: [...path, "initializer", tensor.name],
      });
    }
    names.add(tensor.name);
    initializers.push(tensor);
    reading.tensors.push(tensor);
  };
  await scanParts(reading, span, path, async (field) => {
    if (field.number === 1) {
      nodes.push(await readNode(reading, field, [...path, "node", nodes.length], depth));
    } else if (field.number === 5) {
      const own = [...path, "initializer", index++];
      keep(await readTensorProto(reading.source, scan, { span: field, path: own }));
    } else if (field.number === 11) {
      inputs.push(await readValueInfo(scan, field, [...path, "input", inputs.length]));
    } else if (field.number === 12) {
      outputs.push((await readValueInfo(scan, field, [...path, "output", outputs.length])).name);
    } else if (field.number === 15) {
      const own = [...path, "sparse_initializer"];
      keep(await readSparseTensor(reading.source, scan, { span: field, path: own }));
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
  const defaults = new Map<string, OnnxAttribute>();
  let overload = "";
  await scanParts(reading, span, path, async (field) => {
    if (field.number === 1) name = await scan.text(field);
    else if (field.number === 4) inputs.push(await scan.text(field));
    else if (field.number === 5) outputs.push(await scan.text(field));
    else if (field.number === 7) {
      nodes.push(await readNode(reading, field, [...path, "node", nodes.length], 0));
    } else if (field.number === 10) domain = await scan.text(field);
    else if (field.number === 11) {
      const own = await readAttribute(reading, field, { path, depth: 0, tensorName: "" });
      defaults.set(own.name, own);
    } else if (field.number === 13) overload = await scan.text(field);
  });
  return { name, domain: plainDomain(domain), overload, defaults, inputs, outputs, nodes };
}
