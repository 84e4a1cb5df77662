/** ONNX files to models: structure first, tensor values only when they are read. */
import { protobufScan, type ProtobufScan, type Span } from "../../bytes/protobuf.ts";
import type { ByteSource } from "../../bytes/source.ts";
import { FormatError, isWeightGraphError } from "../../errors.ts";
import type { Model, ModelWarning } from "../../model/model.ts";
import type { Format } from "../format.ts";
import type { Collected } from "./collector.ts";
import { readModelProto } from "./modelProto.ts";
import type { TensorRecord } from "./schema.ts";
import { walkModel } from "./walk.ts";

export const onnx: Format = {
  id: "onnx",
  title: "ONNX",
  recognises: (_head, source) => looksLikeOnnx(source),
  read: readOnnx,
};

/**
 * Reads an ONNX file of any opset, external data beside it included.
 * Cost: one pass over the structure; values are read by `StoredTensor.read`.
 * @throws {FormatError} `FORMAT_*` for what is wrong with the file, `FILE_*` for its external data.
 */
export async function readOnnx(source: ByteSource): Promise<Model> {
  const model = await readModelProto(source);
  const collected = await walkModel(model, source.name);
  const { tensors, layers, topology, geometry } = collected;
  const producer = `${model.producer} ${model.producerVersion}`.trim();
  return {
    name: source.name,
    format: "onnx",
    producer: producer === "" ? null : producer,
    tensors,
    layers,
    topology,
    geometry,
    warnings: [...unreadWarnings(model.tensors), ...warningsOf(collected)],
    metadata: {
      irVersion: model.irVersion,
      opset: model.opsets,
      ...(model.stringTensors > 0 && { stringTensors: model.stringTensors }),
      ...model.properties,
    },
  };
}

/** Tensors that are named and counted alone. */
function unreadWarnings(records: readonly TensorRecord[]): ModelWarning[] {
  const names = records
    .filter(({ unreadable }) => unreadable !== undefined)
    .map(({ name, unreadable }) => `${name} (${unreadable})`);
  if (names.length === 0) return [];
  return [
    {
      code: "TENSOR_UNREADABLE",
      message: `tensors whose values are not read: ${names.join(", ")}`,
    },
  ];
}

function warningsOf({ partial, unknownOperators }: Collected): ModelWarning[] {
  const warnings: ModelWarning[] = [];
  if (unknownOperators.size > 0) {
    const names = [...unknownOperators].map(([op, count]) => `${op} (${count})`);
    warnings.push({
      code: "OPERATOR_UNKNOWN",
      message: `operators that are not followed, and weights that they take are left out: ${names.join(", ")}`,
    });
  }
  if (partial.length > 0) {
    warnings.push({
      code: "TOPOLOGY_PARTIAL",
      message:
        `what feeds ${partial.length} weight layer(s) could not be followed, ` +
        `so each has senders of its own: ${partial.join(", ")}`,
    });
  }
  return warnings;
}

/** ModelProto's fields: their wire type, by number. */
const modelFields: Readonly<Record<number, number>> = {
  1: 0,
  2: 2,
  3: 2,
  4: 2,
  5: 0,
  6: 2,
  7: 2,
  8: 2,
  14: 2,
  20: 2,
  25: 2,
  26: 2,
};

/**
 * True when the top-level fields are ModelProto's: a small IR version, and text where text belongs. What is cut short may be
 * ONNX as far as it goes, so that its reader can say that it is cut.
 */
async function looksLikeOnnx(source: ByteSource): Promise<boolean> {
  const scan = protobufScan(source);
  let seen = 0;
  let isForeign = false;
  let hasVersion = false;
  let hasGraph = false;
  try {
    await scan.fields({ start: 0, end: source.byteLength }, [], async (field) => {
      const { number, wire, low, high } = field;
      if (number === 1) hasVersion = high === 0 && low >= 1 && low <= 1000;
      if (number === 7) hasGraph = true;
      const isText = number >= 2 && number <= 4;
      isForeign =
        modelFields[number] !== wire ||
        (number === 1 && !hasVersion) ||
        (isText && !(await isPrintable(scan, field)));
      if (isForeign || ++seen > 100) throw new FormatError("FORMAT_UNKNOWN", "seen enough");
    });
  } catch (error) {
    if (!isWeightGraphError(error)) throw error;
  }
  return !isForeign && (hasGraph || hasVersion);
}

async function isPrintable(scan: ProtobufScan, span: Span): Promise<boolean> {
  if (span.end - span.start > 4096) return false;
  const text = await scan.text(span);
  // oxlint-disable-next-line no-control-regex
  return !/[\u0000-\u0008\u000e-\u001f\ufffd]/.test(text);
}
