import { FormatError } from "../../errors.ts";
import { runBytes, type ShardRun } from "./shards.ts";

const windowLength = 2 ** 16;

/**
 * Bytes that a text tensor of `count` elements takes from `offset` on: each element is its length (uint32) and its UTF-8 bytes,
 * so the lengths have to be walked. Reads a window at a time.
 * @throws {FormatError} `FORMAT_TRUNCATED` where an element runs over the end.
 */
export async function textByteLength(
  run: ShardRun,
  { offset, count, path }: { offset: number; count: number; path: readonly (string | number)[] },
): Promise<number> {
  const truncated = (): FormatError =>
    new FormatError("FORMAT_TRUNCATED", `${count} texts do not fit into the bytes left`, {
      path,
      hint: "A shard is cut short, or an earlier shape is wrong.",
    });
  if (count > (run.byteLength - offset) / 4) throw truncated();
  let window: DataView = new DataView(new ArrayBuffer(0));
  let first = offset;
  let at = offset;
  for (let i = 0; i < count; i++) {
    if (at + 4 > run.byteLength) throw truncated();
    if (at + 4 > first + window.byteLength) {
      const bytes = await runBytes(run, at, Math.min(at + windowLength, run.byteLength));
      window = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      first = at;
    }
    at += 4 + window.getUint32(at - first, true);
    if (at > run.byteLength) throw truncated();
  }
  return at - offset;
}
