/** Safetensors bytes from a header that may be as wrong as a test wants it. */
export function safetensorsBytes(
  header: string | object,
  dataLength: number,
  headerLength?: bigint,
): Uint8Array {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const json = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + json.byteLength + dataLength);
  new DataView(bytes.buffer).setBigUint64(0, headerLength ?? BigInt(json.byteLength), true);
  bytes.set(json, 8);
  return bytes;
}
