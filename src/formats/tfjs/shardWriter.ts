/** Tensors to shards: one run of bytes, cut every 4 MiB. */
import type { Piece } from "../../bytes/pieces.ts";
import type { PatchedFile } from "../format.ts";

/** As TensorFlow.js' own converter cuts them. */
const shardLength = 4 * 2 ** 20;

/** A tensor as it will stand in the manifest. */
export interface TensorToWrite {
  readonly entry: {
    readonly name: string;
    readonly shape: readonly number[];
    readonly dtype: string;
    readonly quantization?: { readonly dtype: "float16" };
  };
  readonly byteLength: number;
  /** All its bytes. */
  bytes(): Promise<Uint8Array>;
}

export interface ShardedWeights {
  readonly manifest: readonly {
    readonly paths: readonly string[];
    readonly weights: readonly TensorToWrite["entry"][];
  }[];
  readonly files: readonly PatchedFile[];
}

/** One group. Memory while it is written: one tensor. */
export function shardWeights(tensors: readonly TensorToWrite[]): ShardedWeights {
  const total = tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const count = Math.ceil(total / shardLength);
  const paths = Array.from({ length: count }, (_, i) => `group1-shard${i + 1}of${count}.bin`);
  const pieces = paths.map((): Piece[] => []);
  const read = lastTensor();
  let offset = 0;
  for (const tensor of tensors) {
    for (let from = 0; from < tensor.byteLength;) {
      const shard = Math.floor((offset + from) / shardLength);
      const to = Math.min(tensor.byteLength, (shard + 1) * shardLength - offset);
      pieces[shard]!.push(partOf(tensor, { from, to }, read));
      from = to;
    }
    offset += tensor.byteLength;
  }
  return {
    manifest: [{ paths, weights: tensors.map(({ entry }) => entry) }],
    files: paths.map((file, i) => ({ file, pieces: pieces[i]! })),
  };
}

type Reader = (tensor: TensorToWrite) => Promise<Uint8Array>;

function partOf(
  tensor: TensorToWrite,
  { from, to }: { from: number; to: number },
  read: Reader,
): Piece {
  return {
    kind: "made",
    byteLength: to - from,
    make: async () => (await read(tensor)).subarray(from, to),
  };
}

/** Keeps what was read last, since the parts of a tensor are asked for one after the other. */
function lastTensor(): Reader {
  let last: { tensor: TensorToWrite; bytes: Promise<Uint8Array> } | null = null;
  return (tensor) => {
    if (last?.tensor !== tensor) last = { tensor, bytes: tensor.bytes() };
    return last.bytes;
  };
}
