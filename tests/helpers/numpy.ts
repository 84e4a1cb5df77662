/** NumPy arrays and archives of them, written by hand. */
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter, configure } from "@zip.js/zip.js";

configure({ useWebWorkers: false });

export function npyBytes(header: string, values: ArrayBufferView): Uint8Array {
  const text = `${header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11)}\n`;
  const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const bytes = new Uint8Array(10 + text.length + data.byteLength);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length & 255, text.length >> 8]);
  bytes.set(new TextEncoder().encode(text), 10);
  bytes.set(data, 10 + text.length);
  return bytes;
}

export function floatArray(shape: readonly number[], fortran = false): Uint8Array {
  const count = shape.reduce((product, size) => product * size, 1);
  const order = fortran ? "True" : "False";
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const header = `{'descr': '<f4', 'fortran_order': ${order}, 'shape': (${tuple}), }`;
  return npyBytes(
    header,
    Float32Array.from({ length: count }, (_, i) => i + 1),
  );
}

export async function zipBytes(files: Readonly<Record<string, Uint8Array>>): Promise<Uint8Array> {
  const writer = new ZipWriter(new Uint8ArrayWriter());
  for (const [name, bytes] of Object.entries(files)) {
    await writer.add(name, new Uint8ArrayReader(bytes));
  }
  return writer.close();
}
