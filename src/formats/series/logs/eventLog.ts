import {
  protobufScan,
  signedValue,
  type ProtobufScan,
  type Span,
} from "../../../bytes/protobuf.ts";
import { memorySource, type ByteSource } from "../../../bytes/source.ts";
import { tfRecords } from "../../../bytes/tfRecord.ts";
import { FormatError } from "../../../errors.ts";
import type { LogRecord, ParsedLog } from "./logRecord.ts";
import { scalarOf } from "./scalarTensor.ts";

const maxRecordLength = 64 * 2 ** 20;
const maxScalars = 2_000_000;

/**
 * The scalars of a TensorBoard event file, by step; histograms, images, texts and graphs are counted. Lightning logs a scalar
 * `epoch` beside the others, which then says their epoch.
 * Source: tensorflow/core/util/event.proto and framework/summary.proto: Event { wall_time 1, step 2, file_version 3, summary 5 },
 * Summary { value 1 { tag 1, simple_value 2, tensor 8, metadata 9 { plugin_data 1 { plugin_name 1 } } } }.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_LIMIT`
 */
export async function parseEventLog(source: ByteSource): Promise<ParsedLog> {
  const notes: string[] = [];
  const byStep = new Map<number, Map<string, number>>();
  const plugins = new Map<string, string>();
  const others = new Map<string, number>();
  let scalars = 0;
  const records = tfRecords(source, { onDamage: (what) => notes.push(what), maxRecordLength });
  for await (const { bytes, start } of records) {
    const event = await readEvent(bytes, [source.name, start]);
    for (const { tag, value, plugin } of event.values) {
      if (plugin !== "") plugins.set(tag, plugin);
      const kind = plugins.get(tag) ?? "scalars";
      if (value === null || kind !== "scalars" || !Number.isSafeInteger(event.step)) {
        others.set(kind, (others.get(kind) ?? 0) + 1);
        continue;
      }
      if (++scalars > maxScalars) {
        throw new FormatError("FORMAT_LIMIT", `more than ${maxScalars} scalars are not read`, {
          path: [source.name],
        });
      }
      const metrics = byStep.get(event.step) ?? new Map<string, number>();
      byStep.set(event.step, metrics.set(tag, value));
    }
  }
  if (others.size > 0) {
    const kinds = [...others].map(([kind, count]) => `${count} of ${kind || "no kind"}`);
    notes.push(`values that are no scalars are left out: ${kinds.join(", ")}`);
  }
  return { records: [...byStep].map(recordAt), notes };
}

function recordAt([step, metrics]: readonly [number, ReadonlyMap<string, number>]): LogRecord {
  const epoch = metrics.get("epoch");
  if (epoch === undefined || !Number.isFinite(epoch)) return { epoch: null, step, metrics };
  return { epoch, step, metrics: new Map([...metrics].filter(([name]) => name !== "epoch")) };
}

interface EventValue {
  readonly tag: string;
  /** Null for what is no scalar. */
  readonly value: number | null;
  readonly plugin: string;
}

type Path = readonly (string | number)[];

async function readEvent(
  bytes: Uint8Array,
  path: Path,
): Promise<{ step: number; values: readonly EventValue[] }> {
  const scan = protobufScan(memorySource(bytes, String(path[0])));
  const values: EventValue[] = [];
  let step = 0;
  await scan.fields({ start: 0, end: bytes.byteLength }, path, (event) => {
    if (event.number === 2 && event.wire === 0) step = signedValue(event);
    if (event.number !== 5 || event.wire !== 2) return undefined;
    return scan.fields(event, path, async (summary) => {
      if (summary.number === 1 && summary.wire === 2) {
        values.push(await readValue(scan, summary, path));
      }
    });
  });
  return { step, values };
}

async function readValue(scan: ProtobufScan, span: Span, path: Path): Promise<EventValue> {
  let tag = "";
  let value: number | null = null;
  let plugin = "";
  const plugins: Span[] = [];
  await scan.fields(span, path, async (field) => {
    const { number, wire } = field;
    if (number === 1 && wire === 2) tag = await scan.text(field);
    else if (number === 2 && wire === 5) {
      const own = await scan.bytes(field);
      value = new DataView(own.buffer, own.byteOffset).getFloat32(0, true);
    } else if (number === 8 && wire === 2) value = await scalarOf(scan, field, path);
    else if (number === 9 && wire === 2) plugins.push(field);
  });
  for (const metadata of plugins) {
    await scan.fields(metadata, path, async (data) => {
      if (data.number !== 1 || data.wire !== 2) return;
      await scan.fields(data, path, async (field) => {
        if (field.number === 1 && field.wire === 2) plugin = await scan.text(field);
      });
    });
  }
  return { tag, value, plugin };
}
