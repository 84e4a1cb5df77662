/** What is ONNX, and what another decoder reads in it. */
import { readdirSync, readFileSync } from "node:fs";
import onnxProto from "onnx-proto";
import { describe, expect, test } from "vitest";
import { detectFormat, memorySource, readOnnx, type ByteSource } from "../../../src/index.ts";
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

/** Reference: onnx-proto 8.0.1, which decodes whole files. */
describe.skipIf(!hasSharedData)("against onnx-proto", () => {
  const files = hasSharedData
    ? [
        ...readdirSync(sharedPath("onnx")),
        ...readdirSync(sharedPath("onnx/tiny")).map((name) => `tiny/${name}`),
      ]
        .filter((name) => name.endsWith(".onnx"))
        .map((name) => `onnx/${name}`)
    : [];
  test.each(files)("%s: the same initializers, bit by bit", async (file) => {
    const decoded = onnxProto.onnx.ModelProto.decode(readFileSync(sharedPath(file)));
    const model = await openModel(sharedPath(file));
    const own = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
    for (const wanted of decoded.graph?.initializer ?? []) {
      const found = own.get(wanted.name!)!;
      expect(found.shape.map(String), wanted.name!).toEqual(wanted.dims!.map(String));
      if (wanted.dataType !== 1) continue;
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
