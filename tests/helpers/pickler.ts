/** Pickles opcode by opcode, for what Python itself would never write. */
const encoder = new TextEncoder();
const little = (value: number, length: number): number[] =>
  Array.from({ length }, (_, i) => Math.floor(value / 256 ** i) % 256);
const line = (text: string): number[] => [...encoder.encode(`${text}\n`)];

export const op = {
  proto: (version: number): number[] => [0x80, version],
  mark: [0x28],
  stop: [0x2e],
  none: [0x4e],
  pop: [0x30],
  dup: [0x32],
  emptyTuple: [0x29],
  emptyList: [0x5d],
  emptyDict: [0x7d],
  tuple: [0x74],
  tuple1: [0x85],
  list: [0x6c],
  dict: [0x64],
  append: [0x61],
  appends: [0x65],
  setItem: [0x73],
  setItems: [0x75],
  reduce: [0x52],
  newObject: [0x81],
  newObjectWithKeywords: [0x92],
  object: [0x6f],
  build: [0x62],
  stackGlobal: [0x93],
  memoize: [0x94],
  integer: (value: number): number[] => [0x4a, ...little(value, 4)],
  text: (value: string): number[] => {
    const bytes = encoder.encode(value);
    return [0x58, ...little(bytes.length, 4), ...bytes];
  },
  bytes: (value: Uint8Array): number[] => [0x42, ...little(value.length, 4), ...value],
  global: (module: string, name: string): number[] => [0x63, ...line(module), ...line(name)],
  instance: (module: string, name: string): number[] => [0x69, ...line(module), ...line(name)],
  put: (key: number): number[] => [0x72, ...little(key, 4)],
  get: (key: number): number[] => [0x6a, ...little(key, 4)],
} as const;

/** One after the other. */
export function seq(...parts: readonly (readonly number[])[]): number[] {
  return parts.flat();
}

export function pickled(...parts: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from([...op.proto(4), ...parts.flat(), ...op.stop]);
}

/** Of a plain row-major array: `numpy.core.multiarray._reconstruct` and its state. */
export function numpyOps(shape: readonly number[], values: Float32Array): number[] {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const type = [
    ...op.global("numpy", "dtype"),
    ...seq(op.mark, op.text("f4"), [0x89], [0x88], op.tuple, op.reduce),
    ...seq(op.mark, op.integer(3), op.text("<"), op.tuple, op.build),
  ];
  return [
    ...op.global("numpy.core.multiarray", "_reconstruct"),
    ...seq(op.emptyTuple, op.reduce),
    ...seq(op.mark, op.integer(1), op.mark, shape.flatMap(op.integer), op.tuple),
    ...seq(type, [0x89], op.bytes(bytes), op.tuple, op.build),
  ];
}
