/** Tensors on one storage: tied weights, and how often a file may have its bytes read over. */
import { FormatError } from "../../errors.ts";
import { byteLengthOf } from "../../tensor/dtype.ts";
import { checkedCount } from "../checkedCount.ts";
import type { NamedTensor } from "./moduleTree.ts";
import { reachOf } from "./strides.ts";
import type { TorchStorages } from "./storages.ts";
import { pickledLength, type TensorRecord } from "./tensorRecord.ts";

/** The name of the first tensor of which each is another name: the same elements in the same order. */
export function tiesOf(tensors: readonly NamedTensor[]): readonly (string | undefined)[] {
  const first = new Map<string, string>();
  return tensors.map(({ name, record }) => {
    const { data, dtype, offset, shape, strides } = record;
    const isStored = data.kind === "storage" && !shape.includes(0) && record.quantiser === null;
    if (!isStored) return undefined;
    const view = [data.key, dtype, offset, shape.join(), strides.join()].join(" ");
    const earlier = first.get(view);
    if (earlier === undefined) first.set(view, name);
    return earlier;
  });
}

/** Shared weights are read once for each name. A file that has every byte read oftener than this is no model. */
const maxRepetition = 64;
const harmlessLength = 2 ** 24;

/** @throws {FormatError} `FORMAT_LIMIT`, `FORMAT_MALFORMED` for a shape past 2^53 */
export function checkRepetition(
  tensors: readonly NamedTensor[],
  storages: TorchStorages,
  path: readonly string[],
): void {
  const held = new Map<unknown, number>();
  let asked = 0;
  let unpacked: string | null = null;
  const count = ({ data, shape, dtype, ...view }: TensorRecord, name: string): void => {
    if (data.kind === "sparse") for (const part of data.parts) count(part, name);
    if (data.kind === "none" || data.kind === "sparse") return;
    const elements = checkedCount(shape, [...path, name]);
    asked += byteLengthOf(dtype, elements) + reachOf({ shape, ...view });
    if (data.kind === "pickled") held.set(data.bytes, pickledLength(data.bytes));
    else {
      const own = storages.byteLength(data.key) ?? 0;
      held.set(data.key, own);
      // A packed storage is unpacked anew after another one was.
      if (storages.isPacked(data.key) && unpacked !== data.key) asked += own;
      unpacked = data.key;
    }
  };
  for (const { name, record } of tensors) count(record, name);
  const total = [...held.values()].reduce((sum, length) => sum + length, 0);
  if (asked <= maxRepetition * total + harmlessLength) return;
  throw new FormatError("FORMAT_LIMIT", `${asked} bytes of tensors are views on ${total} bytes`, {
    path,
  });
}
