/** TensorBoard's event files, written apart from the code that reads them: protobufjs for messages, a bitwise check sum. */
import protobuf from "protobufjs";

const { Event } = protobuf.parse(`
  syntax = "proto3";
  message Event { double wall_time = 1; int64 step = 2; string file_version = 3; bytes graph_def = 4; Summary summary = 5; }
  message Summary { repeated Value value = 1; }
  message Value { string tag = 1; float simple_value = 2; Tensor tensor = 8; Metadata metadata = 9; string node_name = 7; }
  message Metadata { Plugin plugin_data = 1; }
  message Plugin { string plugin_name = 1; bytes content = 2; }
  message Tensor {
    int32 dtype = 1; Shape tensor_shape = 2; bytes tensor_content = 4; repeated float float_val = 5; repeated double double_val = 6;
    repeated int32 int_val = 7; repeated bytes string_val = 8; repeated int64 int64_val = 10; repeated int32 half_val = 13;
  }
  message Shape { repeated Dim dim = 2; }
  message Dim { int64 size = 1; }
`).root.nested as unknown as Record<"Event", protobuf.Type>;

export interface EventValue {
  readonly tag: string;
  readonly simpleValue?: number;
  readonly tensor?: Readonly<Record<string, unknown>>;
  readonly metadata?: { readonly pluginData: { readonly pluginName: string } };
}

/** A file that begins, as TensorFlow's do, with its version. */
export function eventFile(
  events: readonly { readonly step: number; readonly value: readonly EventValue[] }[],
): Uint8Array {
  const messages = [
    { wallTime: 1.7e9, fileVersion: "brain.Event:2" },
    ...events.map(({ step, value }) => ({ wallTime: 1.7e9 + step, step, summary: { value } })),
  ];
  return joined(messages.map((event) => record(Event.encode(Event.fromObject(event)).finish())));
}

/** The framing around one record. */
export function record(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16 + data.byteLength);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.byteLength), true);
  view.setUint32(8, masked(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.byteLength, masked(data), true);
  return bytes;
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function masked(bytes: Uint8Array): number {
  const sum = crc32cBitwise(bytes);
  return Number((BigInt((sum >>> 15) | (sum << 17)) + 0xa282ead8n) & 0xffffffffn);
}

export function crc32cBitwise(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const isOdd = ((sum ^ (byte >>> bit)) & 1) === 1;
      sum = (sum >>> 1) ^ (isOdd ? 0x82f63b78 : 0);
    }
  }
  return ~sum >>> 0;
}
