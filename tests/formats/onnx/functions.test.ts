/** Functions of the file: told apart by domain and overload, their attributes filled in. */
import onnxProto from "onnx-proto";
import { expect, test } from "vitest";
import { memorySource, readOnnx } from "../../../src/index.ts";
import { node, onnxModel, tensor } from "../../helpers/onnxModel.ts";
import { wiresOf } from "../../helpers/topology.ts";

const { AttributeProto, FunctionProto } = onnxProto.onnx;
const { INT } = AttributeProto.AttributeType;

/** A field of wire type 2; lengths under 128 and numbers under 2048 as they are here. */
function field(number: number, bytes: Uint8Array): Uint8Array {
  const tag = (number << 3) | 2;
  const head = tag < 128 ? [tag] : [(tag & 127) | 128, tag >> 7];
  return Uint8Array.from([...head, (bytes.length & 127) | 128, bytes.length >> 7, ...bytes]);
}

/** "mine.Dense": a Gemm whose transB is the caller's `turned`; overload and default are newer than the encoder. */
function dense(overload: string, turned: number): Uint8Array {
  const gemm = node("Gemm", ["x", "w"], ["y"]);
  const attribute = [{ name: "transB", type: INT, refAttrName: "turned" }];
  const own = FunctionProto.create({
    name: "Dense",
    domain: "mine",
    input: ["x", "w"],
    output: ["y"],
    node: [{ ...gemm, attribute }],
  });
  const standard = AttributeProto.encode({ name: "turned", type: INT, i: turned }).finish();
  const body = [
    ...FunctionProto.encode(own).finish(),
    ...field(11, standard),
    ...field(13, new TextEncoder().encode(overload)),
  ];
  return field(25, Uint8Array.from(body));
}

test("an attribute that the call leaves out has the function's own value; one that it gives counts", async () => {
  const call = (from: string, weight: string, to: string, attributes = {}) => ({
    ...node("Dense", [from, weight], [to], attributes),
    domain: "mine",
  });
  const model = onnxModel({
    inputs: { x: ["N", 2] },
    initializers: [tensor("a", [3, 2]), tensor("b", [3, 4])],
    nodes: [call("x", "a", "y"), call("y", "b", "z", { turned: 0 })],
  });
  const file = Uint8Array.from([...model, ...dense("other", 0), ...dense("", 1)]);
  const read = await readOnnx(memorySource(file, "net.onnx"));
  expect(wiresOf(read)).toEqual(["a: x -> a [out3 in2]", "b: a -> b [in3 out4]"]);
});
