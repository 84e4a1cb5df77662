/** Damaged ONNX files: a model or one of our errors, from the reader itself and not only from what stands around it. */
import { readFileSync, readdirSync } from "node:fs";
import onnxProto from "onnx-proto";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../src/random.ts";
import {
  isWeightGraphError,
  memorySource,
  readModel,
  readOnnx,
  type ByteSource,
} from "../../src/index.ts";
import { bytes, graph, integers, node, onnxModel, tensor } from "../helpers/onnxModel.ts";
import { hasSharedData, sharedPath } from "../helpers/shared.ts";

const external = onnxProto.onnx.TensorProto.DataLocation.EXTERNAL;

/** A bit of everything: typed and raw data, folding, quantisation, a recurrent unit, a branch, external data. */
const tiny = onnxModel({
  inputs: { x: ["N", 2, 4, 4], c: [] },
  initializers: [
    tensor("a", [3, 2, 1, 1]),
    { name: "h", dims: [2, 2], dataType: 10, int32Data: [15360, 16384, 0, 48128] },
    { name: "d", dims: [3], dataType: 11, doubleData: [1, 2, 3] },
    bytes("q", [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]),
    tensor("scale", [2], [0.5, 0.25]),
    tensor("W", [2, 4, 3]),
    tensor("R", [2, 4, 1]),
    integers("to", [1, 1, 3]),
    integers("shape", [3, 2]),
    {
      name: "far",
      dims: [2, 2],
      dataType: 1,
      dataLocation: external,
      externalData: [
        { key: "location", value: "far.bin" },
        { key: "offset", value: "16" },
        { key: "length", value: "16" },
      ],
    },
  ],
  nodes: [
    node("Conv", ["x", "a", "d"], ["y"], { kernel_shape: [1, 1] }),
    node("GlobalAveragePool", ["y"], ["p"]),
    node("Reshape", ["p", "to"], ["s"]),
    node("LSTM", ["s", "W", "R"], ["l"], { hidden_size: 1 }),
    node("DequantizeLinear", ["q", "scale"], ["w"], { axis: 0 }),
    node("Transpose", ["w"], ["wt"], { perm: [1, 0] }),
    node("ConstantOfShape", ["shape"], ["ones"], { value: tensor("v", [1], [1]) }),
    node("If", ["c"], ["b"], {
      then_branch: { graph: graph({ nodes: [node("MatMul", ["l", "h"], ["t"])] }) },
      else_branch: { graph: graph({ nodes: [node("MatMul", ["y", "far"], ["e"])] }) },
    }),
    node("MatMul", ["b", "wt"], ["z"]),
    node("MatMul", ["y", "ones"], ["out"]),
  ],
});

const beside = { "far.bin": new Uint8Array(32) };
const sourceOf = (damaged: Uint8Array): ByteSource => memorySource(damaged, "net.onnx", beside);

/** Reads everything; null, or what escaped that is not ours. */
async function escapes(damaged: Uint8Array): Promise<unknown> {
  try {
    const model = await readOnnx(sourceOf(damaged));
    for (const own of model.tensors) await own.read();
    for (const own of model.layers) await own.tensor.read();
    return null;
  } catch (error) {
    return isWeightGraphError(error) ? null : error;
  }
}

const files = hasSharedData
  ? readdirSync(sharedPath("onnx/tiny")).map((name) => ({
      name,
      content: new Uint8Array(readFileSync(sharedPath(`onnx/tiny/${name}`))),
    }))
  : [];

describe.each([{ name: "built", content: tiny }, ...files])("$name", ({ content }) => {
  test("is whole before it is damaged", async () => {
    const model = await readOnnx(sourceOf(content));
    expect(model.layers.length).toBeGreaterThan(0);
  });

  test("cut at every byte", async () => {
    for (let length = 0; length < content.length; length++) {
      expect(await escapes(content.slice(0, length)), `cut at ${length}`).toBeNull();
    }
  });

  test("cut files are called truncated", async () => {
    const graphStart = content.indexOf(0x3a);
    for (const length of [2, 8, graphStart + 2, Math.floor(content.length / 2)]) {
      const error: unknown = await readModel(sourceOf(content.slice(0, length))).then(
        () => null,
        (own: unknown) => own,
      );
      expect(
        isWeightGraphError(error, "FORMAT_TRUNCATED"),
        `cut at ${length}: ${String(error)}`,
      ).toBe(true);
    }
  });

  test("2000 rounds of flipped bits", async () => {
    const random = createRandom(11);
    for (let round = 0; round < 2000; round++) {
      const damaged = content.slice();
      for (let flips = 1 + random.integer(3); flips > 0; flips--) {
        damaged[random.integer(damaged.length)]! ^= 1 << random.integer(8);
      }
      expect(await escapes(damaged), `round ${round}`).toBeNull();
    }
  });
});
