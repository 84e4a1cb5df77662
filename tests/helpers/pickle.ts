/** Pickles of state dicts, opcode by opcode, as torch.save writes them. */
const text = (value: string): number[] => {
  const bytes = [...new TextEncoder().encode(value)];
  return [0x58, bytes.length & 255, bytes.length >> 8, 0, 0, ...bytes];
};
const name = (module: string, own: string): number[] => [
  0x63,
  ...new TextEncoder().encode(`${module}\n${own}\n`),
];
const integer = (value: number): number[] => [0x4d, value & 255, value >> 8];
const tuple = (items: readonly number[][]): number[] => [0x28, ...items.flat(), 0x74];

export interface PickledTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly key: string;
  readonly storage?: string;
}

function tensor({ shape, strides, key, storage = "FloatStorage" }: PickledTensor): number[] {
  const id = tuple([text("storage"), name("torch", storage), text(key), text("cpu"), integer(9)]);
  const sizes = [shape, strides].map((list) => tuple(list.map(integer)));
  const hooks = [...name("collections", "OrderedDict"), 0x29, 0x52];
  const args = tuple([[...id, 0x51], integer(0), ...sizes, [0x89], hooks]);
  return [...name("torch._utils", "_rebuild_tensor_v2"), ...args, 0x52];
}

/** `{"optimizer": {}, "state_dict": {…}}`, protocol 2. */
export function checkpointPickle(tensors: readonly PickledTensor[]): Uint8Array {
  const dict = [0x7d, 0x28, ...tensors.flatMap((own) => [...text(own.name), ...tensor(own)]), 0x75];
  const entries = [...text("optimizer"), 0x7d, ...text("state_dict"), ...dict];
  return Uint8Array.from([0x80, 2, 0x7d, 0x28, ...entries, 0x75, 0x2e]);
}

/** The older layout: magic number, version, machine, object, keys, then each storage behind its count. */
export function legacyFile(
  tensors: readonly PickledTensor[],
  storages: Readonly<Record<string, Float32Array>>,
): Uint8Array {
  const magic = [
    0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
  ];
  const version = [0x80, 2, ...integer(1001), 0x2e];
  const machine = [0x80, 2, 0x7d, 0x2e];
  const keys = [0x80, 2, 0x5d, 0x28, ...Object.keys(storages).flatMap(text), 0x65, 0x2e];
  const data = Object.values(storages).flatMap((values) => [
    values.length,
    ...new Array<number>(7).fill(0),
    ...new Uint8Array(values.buffer),
  ]);
  return Uint8Array.from([
    ...magic,
    ...version,
    ...machine,
    ...checkpointPickle(tensors),
    ...keys,
    ...data,
  ]);
}
