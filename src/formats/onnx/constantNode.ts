import { constantOf, type Constant } from "./constant.ts";
import type { NodeReader } from "./nodeReader.ts";
import type { TensorRecord } from "./schema.ts";

/** A Constant node: a tensor, or numbers written as attributes; undefined for text and for what is not read. */
export function constantNode(node: NodeReader): Constant | undefined {
  const tensor = node.tensor("value") ?? node.tensor("sparse_value");
  if (tensor !== null) return tensor.unreadable === undefined ? constantOf(tensor) : undefined;
  const float = node.floats("value_floats") ?? single(node.optional("value_float")?.float);
  if (float !== null) {
    return numbers(node, {
      dtype: "float32",
      values: float,
      isList: node.optional("value_floats") !== null,
    });
  }
  const int = node.ints("value_ints") ?? single(node.optional("value_int")?.int);
  if (int === null) return undefined;
  return numbers(node, {
    dtype: "int64",
    values: int,
    isList: node.optional("value_ints") !== null,
  });
}

function single(value: number | null | undefined): readonly number[] | null {
  return value === null || value === undefined ? null : [value];
}

function numbers(
  node: NodeReader,
  {
    dtype,
    values,
    isList,
  }: { dtype: "float32" | "int64"; values: readonly number[]; isList: boolean },
): Constant {
  const record: TensorRecord = {
    name: node.outputs[0] ?? "",
    dtype,
    shape: isList ? [values.length] : [],
    read: async () => (dtype === "int64" ? Float64Array.from(values) : Float32Array.from(values)),
  };
  return constantOf(record);
}
