/** The calls that describe tensors, as torch 2 writes them; argument orders from its `torch/_utils.py`. */
import { expect, test } from "vitest";
import { memorySource, readModel, type Model } from "../../../src/index.ts";
import { zipBytes } from "../../helpers/numpy.ts";
import { op, pickled, seq } from "../../helpers/pickler.ts";

const sizes = (...values: number[]): number[] => seq(op.mark, values.flatMap(op.integer), op.tuple);
const storage = (type: readonly number[], key: string): number[] =>
  seq(
    op.mark,
    op.text("storage"),
    type,
    seq(op.text(key), op.text("cpu"), op.integer(4), op.tuple),
    [0x51],
  );
const called = (module: string, name: string, ...args: (readonly number[])[]): number[] =>
  seq(op.global(module, name), op.mark, ...args, op.tuple, op.reduce);
const no = [0x89];
const untyped = storage(op.global("torch.storage", "UntypedStorage"), "0");
const floats = storage(op.global("torch", "FloatStorage"), "0");
const plain = called("torch._utils", "_rebuild_tensor", floats, op.integer(0), sizes(1), sizes(1));
const v3 = (type: string, shape: number[], strides: number[]): number[] =>
  called(
    "torch._utils",
    "_rebuild_tensor_v3",
    seq(untyped, op.integer(0), sizes(...shape), sizes(...strides)),
    seq(no, op.emptyDict, op.global("torch", type)),
  );

async function read(tensor: readonly number[]): Promise<Model> {
  const bytes = await zipBytes({
    "net/data.pkl": pickled(op.emptyDict, op.text("w"), tensor, op.setItem),
    "net/data/0": Uint8Array.of(0x38, 0xb9, 0x01, 0x7e),
  });
  return readModel(memorySource(bytes, "net.pt"));
}

/** float32 of the bytes above. */
const whole = new DataView(Uint8Array.of(0x38, 0xb9, 0x01, 0x7e).buffer).getFloat32(0, true);

test.each([
  {
    name: "8-bit floats",
    tensor: v3("float8_e4m3fn", [2, 2], [2, 1]),
    dtype: "float8_e4m3",
    values: [1, -1.125, 2 ** -9, 448],
  },
  {
    name: "8-bit floats, turned",
    tensor: v3("float8_e4m3fn", [2, 2], [1, 2]),
    dtype: "float8_e4m3",
    values: [1, 2 ** -9, -1.125, 448],
  },
  { name: "words", tensor: v3("uint16", [2], [1]), dtype: "uint16", values: [0xb938, 0x7e01] },
  {
    name: "pairs of 4-bit floats",
    tensor: v3("float4_e2m1fn_x2", [2, 1], [1, 1]),
    dtype: "float4_e2m1",
    values: [-0, 1.5, -0.5, -1.5],
  },
  { name: "the first rebuilding", tensor: plain, dtype: "float32", values: [whole] },
  {
    name: "a parameter",
    tensor: called("torch._utils", "_rebuild_parameter", plain, no, op.emptyDict),
    dtype: "float32",
    values: [whole],
  },
  {
    name: "a parameter with attributes",
    tensor: called("torch._utils", "_rebuild_parameter_with_state", plain, no, op.emptyDict, no),
    dtype: "float32",
    values: [whole],
  },
  {
    name: "a class derived from tensors",
    tensor: called(
      "torch._tensor",
      "_rebuild_from_type_v2",
      op.global("torch._utils", "_rebuild_tensor"),
      op.global("my", "Tensor"),
      seq(op.mark, floats, op.integer(0), sizes(1), sizes(1), op.tuple),
      op.emptyDict,
    ),
    dtype: "float32",
    values: [whole],
  },
])("$name", async ({ tensor, dtype, values }) => {
  const [own] = (await read(tensor)).tensors;
  expect(own?.dtype).toBe(dtype);
  expect(Array.from(await own!.read())).toEqual(values);
});

test.each([
  {
    name: "of the meta device",
    tensor: called(
      "torch._utils",
      "_rebuild_meta_tensor_no_storage",
      seq(op.global("torch", "float16"), sizes(3, 2), sizes(2, 1), no),
    ),
  },
  {
    name: "of a class that keeps its values elsewhere",
    tensor: called(
      "torch._utils",
      "_rebuild_wrapper_subclass",
      seq(op.global("my", "Tensor"), op.global("torch", "float16"), sizes(3, 2), sizes(2, 1)),
    ),
  },
])("$name: listed, without values", async ({ tensor }) => {
  const { tensors, layers, warnings } = await read(tensor);
  const [own] = tensors;
  expect([own?.dtype, own?.shape, own?.role]).toEqual(["float16", [3, 2], "unknown"]);
  expect(layers).toEqual([]);
  expect(warnings.map(({ code }) => code)).toContain("TENSOR_UNREADABLE");
  await expect(own!.read()).rejects.toThrow("no values in the file");
});

test.each([
  {
    name: "negative sizes",
    tensor: called("torch._utils", "_rebuild_tensor", floats, op.integer(0), sizes(-1), sizes(1)),
  },
  {
    name: "no offset",
    tensor: called("torch._utils", "_rebuild_tensor", floats, no, sizes(1), sizes(1)),
  },
  {
    name: "fewer strides than axes",
    tensor: called("torch._utils", "_rebuild_tensor", floats, op.integer(0), sizes(1), sizes()),
  },
  {
    name: "no storage",
    tensor: called("torch._utils", "_rebuild_tensor", no, op.integer(0), sizes(1), sizes(1)),
  },
  { name: "an unknown type", tensor: v3("int1", [1], [1]) },
])("$name: no tensor", async ({ tensor }) => {
  await expect(read(tensor)).rejects.toThrow("holds no weights");
});
