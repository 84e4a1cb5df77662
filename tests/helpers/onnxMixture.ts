/** One small ONNX file to be damaged: as many kinds of tensor and node as fit in it. */
import onnxProto from "onnx-proto";
import { bytes, graph, integers, node, onnxModel, tensor } from "./onnxModel.ts";

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
