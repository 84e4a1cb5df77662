/** GGUF bytes by hand, as wrong as a test wants them. */
type GgufPair = readonly [key: string, type: number, value: GgufField];
type GgufField = number | string | Uint8Array | readonly GgufField[];

export interface GgufSketch {
  readonly version?: number;
  /** Values of lists are `Uint8Array`s of what follows the key's type. */
  readonly pairs?: readonly GgufPair[];
  readonly tensors?: readonly GgufTensorSketch[];
  readonly data?: Uint8Array;
  readonly alignment?: number;
  readonly tensorCount?: bigint;
  readonly pairCount?: bigint;
}

export interface GgufTensorSketch {
  readonly name: string;
  /** The fastest first, as the file has them. */
  readonly ne: readonly (number | bigint)[];
  readonly type: number;
  readonly offset?: number;
  readonly rank?: number;
}

export function ggufBytes(sketch: GgufSketch): Uint8Array {
  const { version = 3, pairs = [], tensors = [], data = new Uint8Array(), alignment = 32 } = sketch;
  const wide = version === 1 ? 4 : 8;
  const text = (value: string): Uint8Array => {
    const bytes = new TextEncoder().encode(value);
    return joined([number(bytes.byteLength, wide), bytes]);
  };
  const header = joined([
    new TextEncoder().encode("GGUF"),
    number(version, 4),
    number(sketch.tensorCount ?? tensors.length, wide),
    number(sketch.pairCount ?? pairs.length, wide),
    ...pairs.flatMap(([key, type, value]) => [
      text(key),
      number(type, 4),
      typeof value === "string"
        ? text(value)
        : value instanceof Uint8Array
          ? value
          : number(value as number, sizes[type] ?? 4),
    ]),
    ...tensors.flatMap(({ name, ne, type, offset = 0, rank }) => [
      text(name),
      number(rank ?? ne.length, 4),
      ...ne.map((size) => number(size, wide)),
      number(type, 4),
      number(offset, 8),
    ]),
  ]);
  const padding = new Uint8Array((alignment - (header.byteLength % alignment)) % alignment);
  return joined([header, padding, data]);
}

const sizes: Readonly<Record<number, 1 | 2 | 4 | 8>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  7: 1,
  10: 8,
  11: 8,
};

export function number(value: number | bigint, width: number): Uint8Array {
  const bytes = new Uint8Array(width);
  for (let i = 0, left = BigInt(value); i < width; i++, left >>= 8n) bytes[i] = Number(left & 255n);
  return bytes;
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}
