/** One small ONNX file to be damaged: as many kinds of tensor and node as fit in it. */
import onnxProto from "onnx-proto";
import {
  bytes,
  graph,
  integers,
  microsoftNode,
  node,
  onnxModel,
  tensor,
  type Tensor,
} from "./onnxModel.ts";

const external = onnxProto.onnx.TensorProto.DataLocation.EXTERNAL;

/** An ONNX file with a bit of everything: typed and raw data, folding, quantisation, a recurrent unit, a branch. */
export const onnxMixture: Uint8Array = onnxModel({
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

/** Its external data. */
export const onnxMixtureData: Readonly<Record<string, Uint8Array>> = {
  "far.bin": new Uint8Array(32),
};

const packed = (name: string, dims: number[], dataType: number, rawData: Uint8Array): Tensor => ({
  name,
  dims,
  dataType,
  rawData,
});

/** Element types of a byte and less, a sparse tensor, text, and weights in blocks. */
export const onnxSmallTypes: Uint8Array = onnxModel({
  opset: 23,
  irVersion: 11,
  microsoft: 1,
  inputs: { x: ["N", 32] },
  sparse: [{ values: tensor("sparse", [2], [5, 7]), indices: integers("", [0, 5]), dims: [32, 2] }],
  initializers: [
    packed(
      "nibbles",
      [4, 2, 8],
      2,
      Uint8Array.from({ length: 64 }, (_, i) => i),
    ),
    tensor("scales", [4, 2]),
    packed("zeros", [4], 2, Uint8Array.of(1, 2, 3, 4)),
    packed(
      "blocks",
      [4, 4],
      22,
      Uint8Array.from({ length: 8 }, (_, i) => 31 * i),
    ),
    tensor("blockScales", [2, 4]),
    packed(
      "eight",
      [4, 2],
      17,
      Uint8Array.from({ length: 8 }, (_, i) => 16 * i),
    ),
    packed("four", [2, 4], 23, Uint8Array.of(1, 2, 3, 4)),
    packed("two", [2, 4], 26, Uint8Array.of(1, 2)),
    { name: "text", dims: [1], dataType: 8, stringData: [new Uint8Array(3)] },
    packed("codes", [4], 2, Uint8Array.of(1, 2, 3, 4)),
    tensor("largest", [1]),
  ],
  nodes: [
    microsoftNode("MatMulNBits", ["x", "nibbles", "scales", "zeros"], ["a"], {
      K: 32,
      N: 4,
      bits: 4,
      block_size: 16,
    }),
    node("DequantizeLinear", ["blocks", "blockScales"], ["w"], { axis: 0, block_size: 2 }),
    node("MatMul", ["a", "w"], ["b"]),
    node("Cast", ["eight"], ["e"], { to: 1 }),
    node("MatMul", ["b", "e"], ["c"]),
    node("Cast", ["four"], ["f"], { to: 1 }),
    node("MatMul", ["c", "f"], ["d"]),
    microsoftNode("MatMulBnb4", ["d", "codes", "largest"], ["m"], { K: 4, N: 2, block_size: 16 }),
    node("MatMul", ["x", "sparse"], ["s"]),
    node("Add", ["m", "s"], ["y"]),
  ],
});
