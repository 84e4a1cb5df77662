/** What is ONNX, and what another decoder reads in it. */
import { readdirSync, readFileSync } from "node:fs";
import onnxProto from "onnx-proto";
import { describe, expect, test } from "vitest";
import {
  coverageOf,
  detectFormat,
  memorySource,
  readOnnx,
  type ByteSource,
} from "../../../src/index.ts";
import { fileSource, openModel } from "../../../src/node.ts";
import { hasSharedData, sharedPath } from "../../helpers/shared.ts";

test.each([
  { name: "JSON", head: '{"modelTopology": 1}' },
  {
    name: "a saved model of another kind",
    head: "\u0008\u0001\u0012\u0004\u0000\u0001\u0002\u0003",
  },
  { name: "a zip", head: "PK\u0003\u0004" },
  { name: "text", head: "hello" },
])("$name is not taken for ONNX", async ({ head }) => {
  const source = memorySource(new TextEncoder().encode(head));
  const format = await detectFormat(source).catch(() => null);
  expect(format?.id).not.toBe("onnx");
});

const external = onnxProto.onnx.TensorProto.DataLocation.EXTERNAL;
const files = hasSharedData
  ? ["onnx", "onnx/tiny", "onnx/hello_deepa_ext"].flatMap((folder) =>
      readdirSync(sharedPath(folder))
        .filter((name) => name.endsWith(".onnx"))
        .map((name) => `${folder}/${name}`),
    )
  : [];

describe.skipIf(!hasSharedData)("real models are explained", () => {
  test.each(files)("%s", async (file) => {
    const model = await openModel(sharedPath(file));
    expect(model.warnings).toEqual([]);
    const { share, weights } = coverageOf(model);
    expect(share).toBeGreaterThanOrEqual(0.99);
    const tensors = new Map(model.layers.map(({ name, tensor }) => [name, tensor.shape]));
    const counted = [...tensors.values()].map((shape) => shape.reduce((a, b) => a * b, 1));
    expect(weights).toBe(counted.reduce((a, b) => a + b, 0));
  });
});

/** Reference: onnx-proto 8.0.1, which decodes whole files. */
describe.skipIf(!hasSharedData)("against onnx-proto", () => {
  test.each(files)("%s: the same initializers, bit by bit", async (file) => {
    const decoded = onnxProto.onnx.ModelProto.decode(readFileSync(sharedPath(file)));
    const model = await openModel(sharedPath(file));
    const own = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
    for (const wanted of decoded.graph?.initializer ?? []) {
      const found = own.get(wanted.name!)!;
      expect(found.shape.map(String), wanted.name!).toEqual(wanted.dims!.map(String));
      // The oracle does not follow external data.
      if (wanted.dataType !== 1 || wanted.dataLocation === external) continue;
      const data =
        wanted.rawData!.length > 0
          ? new Float32Array(new Uint8Array(wanted.rawData!).buffer)
          : Float32Array.from(wanted.floatData!);
      const values = await found.read();
      expect(values.length).toBe(data.length);
      expect(values.every((value, i) => Object.is(value, data[i]))).toBe(true);
    }
  });

  test("a model is opened without reading its weights", async () => {
    const file = await fileSource(sharedPath("onnx/magika_standard_v3_3.onnx"));
    let read = 0;
    const counted: ByteSource = {
      ...file,
      slice(start, end) {
        read += end - start;
        return file.slice(start, end);
      },
    };
    await readOnnx(counted);
    expect(read).toBeLessThan(file.byteLength / 4);
  });
});
