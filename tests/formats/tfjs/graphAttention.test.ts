/** Attention in TensorFlow graphs: heads parted by reshapes, by kernels with an axis for them, from one matrix or three. */
import { describe, expect, test } from "vitest";
import { readModel, type Model } from "../../../src/index.ts";
import {
  constantNodes,
  graphNode as node,
  integers,
  placeholderNode,
  tfjsSource,
  type TfjsTensor,
} from "../../helpers/tfjs.ts";
import { wiresOf } from "../../helpers/topology.ts";

const read = (nodes: readonly object[], tensors: readonly TfjsTensor[]): Promise<Model> =>
  readModel(tfjsSource({ node: [...constantNodes(tensors), ...nodes] }, tensors));
const text = (value: string): object => ({ s: btoa(value) });
const rolesOf = ({ tensors }: Model): Record<string, string> =>
  Object.fromEntries(tensors.map(({ name, role }) => [name, role]));

/** Numbers of the neurons that the wire of `name` reads, counted within the layer it reads from. */
function sendersOf(model: Model, name: string): number[] {
  const { wires, layers } = model.topology;
  const { from } = wires.find(({ layer }) => model.layers[layer]!.name === name)!;
  let first = 0;
  for (const { size } of layers) {
    if (from[0]! < first + size) break;
    first += size;
  }
  return Array.from(from, (id) => id - first);
}

/** `ROLE HEADSxSIZE: first neuron within its layer`. */
function headsOf({ topology: { layers, attention = [] } }: Model): string[] {
  return attention.map(({ role, heads, ids }) => {
    let first = 0;
    for (const { size } of layers) {
      if (ids[0]! < first + size) break;
      first += size;
    }
    return `${role} ${heads}x${ids.length / heads}: ${ids[0]! - first}`;
  });
}

const sequence = placeholderNode("x", [-1, 7, 4]);
const attention = (q: string, k: string, v: string): object[] => [
  node("BatchMatMulV2", "scores", [q, k], { adj_y: { b: true } }),
  node("Softmax", "shares", ["scores"]),
  node("BatchMatMulV2", "mix", ["shares", v]),
];

describe("attention of two heads: the output reads the values, head by head", () => {
  test("three matrices, heads by Reshape and Transpose", async () => {
    const heads = (name: string): object[] => [
      node("BatchMatMulV2", `${name}m`, ["x", `w${name}`]),
      node("Reshape", `${name}h`, [`${name}m`, "split"]),
      node("Transpose", `${name}t`, [`${name}h`, "swap"]),
    ];
    const model = await read(
      [
        sequence,
        ...["q", "k", "v"].flatMap(heads),
        ...attention("qt", "kt", "vt"),
        node("Transpose", "back", ["mix", "swap"]),
        node("Reshape", "joined", ["back", "join"]),
        node("BatchMatMulV2", "o", ["joined", "wo"]),
        node("AddV2", "sum", ["o", "x"]),
      ],
      [
        ...["wq", "wk", "wv", "wo"].map((name) => ({ name, shape: [4, 4] })),
        integers("split", [-1, 7, 2, 2]),
        integers("swap", [0, 2, 1, 3]),
        integers("join", [-1, 7, 4]),
      ],
    );
    expect(wiresOf(model)).toEqual([
      "wq: x -> wq [in4 out4]",
      "wk: x -> wk [in4 out4]",
      "wv: x -> wv [in4 out4]",
      "wo: wv -> x [in4 out4]",
    ]);
    expect(sendersOf(model, "wo")).toEqual([0, 1, 2, 3]);
    expect(headsOf(model)).toEqual(["query 2x2: 0", "key 2x2: 0", "value 2x2: 0"]);
    expect(model.warnings).toEqual([]);
  });

  test("heads that go into the batch and come out of it", async () => {
    const model = await read(
      [
        sequence,
        node("BatchMatMulV2", "vm", ["x", "wv"]),
        node("Reshape", "vh", ["vm", "split"]),
        node("Transpose", "vt", ["vh", "swap"]),
        node("Reshape", "vb", ["vt", "batch"]),
        node("BatchMatMul", "mix", ["ids", "vb"]),
        node("Reshape", "un", ["mix", "unbatch"]),
        node("Transpose", "back", ["un", "swap"]),
        node("Reshape", "joined", ["back", "join"]),
        node("BatchMatMulV2", "o", ["joined", "wo"]),
      ],
      [
        { name: "wv", shape: [4, 4] },
        { name: "wo", shape: [4, 1] },
        integers("split", [-1, 7, 2, 2]),
        integers("swap", [0, 2, 1, 3]),
        integers("batch", [-1, 7, 2]),
        integers("unbatch", [-1, 2, 7, 2]),
        integers("join", [-1, 7, 4]),
      ],
    );
    expect(wiresOf(model)).toEqual(["wv: x -> wv [in4 out4]", "wo: wv -> wo [in4 out1]"]);
    expect(headsOf(model)).toEqual(["value 2x2: 0"]);
    expect(model.warnings).toEqual([]);
  });

  test.each([
    {
      name: "split along the channels",
      nodes: [
        node("Split", "parts", ["last", "qkv"], { num_split: { i: "3" } }),
        ...["parts", "parts:1", "parts:2"].flatMap((part, i) => [
          node("Reshape", `h${i}`, [part, "heads"]),
          node("Transpose", `t${i}`, [`h${i}`, "swap"]),
        ]),
        ...attention("t0", "t1", "t2"),
      ],
    },
    {
      name: "parted in three and unpacked",
      nodes: [
        node("Reshape", "five", ["qkv", "three"]),
        node("Transpose", "front", ["five", "toFront"]),
        node("Unpack", "parts", ["front"], { num: { i: "3" }, axis: { i: "0" } }),
        ...attention("parts", "parts:1", "parts:2"),
      ],
    },
    {
      name: "parted in three and sliced",
      nodes: [
        node("Reshape", "five", ["qkv", "three"]),
        node("Transpose", "front", ["five", "toFront"]),
        ...[0, 1, 2].map((i) =>
          node("StridedSlice", `p${i}`, ["front", `at${i}`, `at${i + 1}`, "step"], {
            shrink_axis_mask: { i: "1" },
          }),
        ),
        ...attention("p0", "p1", "p2"),
      ],
    },
  ])("one matrix for query, key and value, $name", async ({ nodes }) => {
    const model = await read(
      [
        sequence,
        node("BatchMatMulV2", "qkv", ["x", "w"]),
        ...nodes,
        node("Transpose", "back", ["mix", "swap"]),
        node("Reshape", "joined", ["back", "join"]),
        node("BatchMatMulV2", "o", ["joined", "wo"]),
      ],
      [
        { name: "w", shape: [4, 12] },
        { name: "wo", shape: [4, 1] },
        integers("last", [-1]),
        integers("heads", [-1, 7, 2, 2]),
        integers("swap", [0, 2, 1, 3]),
        integers("three", [-1, 7, 3, 2, 2]),
        integers("toFront", [2, 0, 3, 1, 4]),
        ...[0, 1, 2, 3].map((i) => integers(`at${i}`, [i])),
        integers("step", [1]),
        integers("join", [-1, 7, 4]),
      ],
    );
    expect(wiresOf(model)).toEqual(["w: x -> w [in4 out12]", "wo: w -> wo [in4 out1]"]);
    expect(sendersOf(model, "wo")).toEqual([8, 9, 10, 11]);
    expect(headsOf(model)).toEqual(["query 2x2: 0", "key 2x2: 4", "value 2x2: 8"]);
    expect(model.warnings).toEqual([]);
  });

  test("kernels with heads of their own (Einsum)", async () => {
    const einsum = (name: string, input: readonly string[], equation: string): object =>
      node("Einsum", name, input, { equation: text(equation) });
    const model = await read(
      [
        sequence,
        ...["q", "k", "v"].flatMap((name) => [
          einsum(name, ["x", `w${name}`], "abc,cde->abde"),
          node("AddV2", `${name}b`, [name, `b${name}`]),
        ]),
        einsum("scores", ["kb", "qb"], "aecd,abcd->acbe"),
        node("Softmax", "shares", ["scores"]),
        einsum("mix", ["shares", "vb"], "acbe,aecd->abcd"),
        einsum("o", ["mix", "wo"], "abcd,cde->abe"),
      ],
      [
        ...["wq", "wk", "wv"].map((name) => ({ name, shape: [4, 2, 3] })),
        ...["bq", "bk", "bv"].map((name) => ({ name, shape: [2, 3] })),
        { name: "wo", shape: [2, 3, 4] },
      ],
    );
    expect(wiresOf(model)).toEqual([
      "wq: x -> wq [in4 out2 out3]",
      "wk: x -> wk [in4 out2 out3]",
      "wv: x -> wv [in4 out2 out3]",
      "wo: wv -> wo [in2 in3 out4]",
    ]);
    expect(sendersOf(model, "wo")).toEqual([0, 1, 2, 3, 4, 5]);
    // The key stands on the left, its positions last.
    expect(headsOf(model)).toEqual(["key 2x3: 0", "query 2x3: 0", "value 2x3: 0"]);
    expect(rolesOf(model)["bq"]).toBe("bias");
    expect(model.warnings).toEqual([]);
  });
});
