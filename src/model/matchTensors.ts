/** New values for one model's tensors, taken from another model of the same network, whatever the formats. */
import { ShapeError, UsageError } from "../errors.ts";
import type { FloatArray } from "../tensor/dtype.ts";
import { fromCanonical, toCanonical, type WeightLayout } from "../tensor/layout.ts";
import { sameShape } from "../tensor/shape.ts";
import type { Model, StoredTensor } from "./model.ts";

export interface MatchOptions {
  /** `name`: tensors of one name. `order`: weight layers one by one, in graph order. @defaultValue "name" */
  readonly by?: "name" | "order";
  /** Only these tensors of the first model. @defaultValue all that match */
  readonly tensors?: readonly string[];
}

/** A tensor and where its new values come from. */
export interface TensorMatch {
  readonly tensor: StoredTensor;
  readonly from: StoredTensor;
  /** The new values, in the order in which `tensor` is stored. */
  read(): Promise<FloatArray>;
}

/**
 * Weights are turned from one layout into the other where both are known: [in, out] of Keras into [out, in] of PyTorch.
 * @throws {UsageError} `USAGE_INVALID_OPTION` when nothing matches, or a tensor that was asked for has no partner;
 *   {ShapeError} `SHAPE_MISMATCH` for partners that do not fit.
 */
export function matchTensors(
  model: Model,
  other: Model,
  { by = "name", tensors }: MatchOptions = {},
): readonly TensorMatch[] {
  const pairs = by === "name" ? pairsByName(model, other) : pairsByOrder(model, other);
  const wanted = tensors === undefined ? pairs : tensors.map((name) => pairNamed(pairs, name));
  if (wanted.length === 0) {
    throw new UsageError("USAGE_INVALID_OPTION", `no tensor of ${other.name} has a partner here`, {
      path: [model.name],
      hint: "Names differ between formats: match layers by their order instead.",
    });
  }
  return wanted.map((pair) => matched(pair, model.name));
}

interface Side {
  readonly tensor: StoredTensor;
  readonly layout?: WeightLayout;
}

interface Pair {
  readonly own: Side;
  readonly other: Side;
}

function pairsByName(model: Model, other: Model): Pair[] {
  const theirs = new Map(sidesOf(other).map((side) => [side.tensor.name, side]));
  return sidesOf(model).flatMap((own): Pair[] => {
    const partner = theirs.get(own.tensor.name);
    return partner === undefined ? [] : [{ own, other: partner }];
  });
}

function pairsByOrder(model: Model, other: Model): Pair[] {
  if (model.layers.length !== other.layers.length) {
    throw new ShapeError(
      "SHAPE_MISMATCH",
      `${model.layers.length} weight layers here, ${other.layers.length} in ${other.name}`,
      { path: [model.name] },
    );
  }
  return model.layers.map((layer, i) => ({ own: layer, other: other.layers[i]! }));
}

/** Every tensor, as its layer reads it where one does. */
function sidesOf(model: Model): Side[] {
  const layers = new Map<string, Side>(model.layers.map((layer) => [layer.tensor.name, layer]));
  const own = new Set(model.tensors.map(({ name }) => name));
  const parts = model.layers.filter(({ tensor }) => !own.has(tensor.name));
  return [...model.tensors.map((tensor) => layers.get(tensor.name) ?? { tensor }), ...parts];
}

function pairNamed(pairs: readonly Pair[], name: string): Pair {
  const found = pairs.find(({ own }) => own.tensor.name === name);
  if (found !== undefined) return found;
  throw new UsageError("USAGE_INVALID_OPTION", `nothing matches the tensor ${name}`, {
    path: [name],
    hint: `Matched: ${
      pairs
        .map(({ own }) => own.tensor.name)
        .slice(0, 20)
        .join(", ") || "none"
    }.`,
  });
}

function matched({ own, other }: Pair, name: string): TensorMatch {
  const { tensor } = own;
  const from = other.tensor;
  const values = (): Promise<FloatArray> => from.read();
  const [to, at] = [own.layout, other.layout];
  const isTurned =
    to !== undefined &&
    at !== undefined &&
    to.groups === at.groups &&
    to.outPerGroup === at.outPerGroup &&
    to.inPerGroup === at.inPerGroup &&
    to.taps === at.taps;
  if (isTurned) {
    const read = async (): Promise<FloatArray> =>
      fromCanonical(toCanonical(await values(), at), to);
    return { tensor, from, read };
  }
  if (sameShape(tensor.shape, from.shape)) return { tensor, from, read: values };
  throw new ShapeError(
    "SHAPE_MISMATCH",
    `${tensor.name} is [${tensor.shape.join(", ")}], ${from.name} is [${from.shape.join(", ")}]`,
    { path: [name, tensor.name] },
  );
}
