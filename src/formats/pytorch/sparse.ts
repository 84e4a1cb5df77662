/** Sparse tensors of torch, written out. */
import { FormatError } from "../../errors.ts";
import type { StoredTensor } from "../../model/model.ts";
import type { FloatArray } from "../../tensor/dtype.ts";
import { elementCount } from "../../tensor/shape.ts";

const maxDense = 2 ** 26;

/** @throws {FormatError} `FORMAT_LIMIT`, `FORMAT_MALFORMED`, `FORMAT_UNSUPPORTED` for blocks */
export async function densify({
  layout,
  shape,
  parts,
  path,
}: {
  readonly layout: string;
  readonly shape: readonly number[];
  readonly parts: readonly Pick<StoredTensor, "shape" | "read">[];
  readonly path: readonly string[];
}): Promise<FloatArray> {
  const count = elementCount(shape);
  if (count > maxDense) {
    throw new FormatError("FORMAT_LIMIT", `a sparse tensor of ${count} places`, { path });
  }
  const values = await parts.at(-1)!.read();
  const dense = new (values.constructor as new (length: number) => FloatArray)(count);
  const put = (place: number, first: number, length: number): void => {
    const isInside = place >= 0 && place + length <= count && first + length <= values.length;
    if (!isInside || !Number.isSafeInteger(place)) {
      throw new FormatError("FORMAT_MALFORMED", "a sparse value lies outside its tensor", { path });
    }
    for (let i = 0; i < length; i++) dense[place + i]! += values[first + i]!;
  };
  if (layout === "torch.sparse_coo") await coordinates(shape, parts, put);
  else if (layout === "torch.sparse_csr" || layout === "torch.sparse_csc") {
    await compressed(shape, parts, { put, byRow: layout === "torch.sparse_csr" });
  } else throw new FormatError("FORMAT_UNSUPPORTED", `layout ${layout} is not read`, { path });
  return dense;
}

type Put = (place: number, first: number, length: number) => void;

/** `indices` are [sparse axes, count]; the axes behind them are dense. */
async function coordinates(
  shape: readonly number[],
  [indices]: readonly Pick<StoredTensor, "shape" | "read">[],
  put: Put,
): Promise<void> {
  const [axes = 0, count = 0] = indices!.shape;
  const places = await indices!.read();
  const inner = elementCount(shape.slice(axes));
  for (let i = 0; i < count; i++) {
    let place = 0;
    for (let axis = 0; axis < axes; axis++) {
      const index = places[axis * count + i]!;
      place = index >= 0 && index < shape[axis]! ? place * shape[axis]! + index : NaN;
    }
    put(place * inner, i * inner, inner);
  }
}

async function compressed(
  [rows = 0, columns = 0]: readonly number[],
  [pointers, indices]: readonly Pick<StoredTensor, "shape" | "read">[],
  { put, byRow }: { readonly put: Put; readonly byRow: boolean },
): Promise<void> {
  const starts = await pointers!.read();
  const others = await indices!.read();
  const lines = Math.min(starts.length - 1, byRow ? rows : columns);
  let i = 0;
  for (let line = 0; line < lines; line++) {
    // Rows follow each other without gaps, so that nothing is gone through twice.
    for (const end = Math.min(starts[line + 1]!, others.length); i < end; i++) {
      const other = others[i]!;
      const isInside = other >= 0 && other < (byRow ? columns : rows);
      put(isInside ? (byRow ? line * columns + other : other * columns + line) : NaN, i, 1);
    }
  }
}
