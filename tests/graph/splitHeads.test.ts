/** A block per attention head: the edges and what is measured of neurons are those of the whole blocks. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  addBiasNodes,
  addNormalisationNodes,
  layeredGraph,
  measures,
  memorySource,
  readModel,
  splitHeads,
} from "../../src/index.ts";
import { edgeWeights, type Block } from "../../src/graph/block.ts";
import {
  apart,
  bert,
  dense,
  edgesOf,
  end,
  headsOf,
  projected,
  separate,
  sizes,
  splitOf,
  squares,
  stateDict,
  stateDictBytes,
  together,
  type Shapes,
} from "../helpers/attention.ts";
import { weightgraph, weightgraphJson } from "../helpers/commandLine.ts";
import { from, functional, input, keras2, layer } from "../helpers/kerasConfig.ts";
import { node, onnxModel, tensor } from "../helpers/onnxModel.ts";

test("Keras: kernels are stored with an axis of heads (hand)", async () => {
  const at = layer("MultiHeadAttention", "mha", {}, from("x", "x"));
  const one = (part: string): Shapes => ({ [`mha/${part}/kernel:0`]: [4, 2, 2] });
  const out = { "mha/attention_output/kernel:0": [2, 2, 4] };
  const model = await keras2(functional([input("x", 3, 4), at], ["x"], ["mha"]), {
    mha: { ...one("query"), ...one("key"), ...one("value"), ...out },
  });
  expect(headsOf(await splitOf(model))).toEqual([
    "mha/query/kernel:0 query head 0: 0 1",
    "mha/query/kernel:0 query head 1: 2 3",
    "mha/key/kernel:0 key head 0: 0 1",
    "mha/key/kernel:0 key head 1: 2 3",
    "mha/value/kernel:0 value head 0: 0 1",
    "mha/value/kernel:0 value head 1: 2 3",
    "mha/attention_output/kernel:0 output head 0: 0 1",
    "mha/attention_output/kernel:0 output head 1: 2 3",
  ]);
});

/** Wide enough for kernels: 3 x 96 x 96 weights and more. */
const wide = Object.fromEntries(
  Object.entries(bert).map(([name, shape]) => [name, shape.map((size) => 24 * size)] as const),
);

describe("what is made of it", () => {
  test.each([1, 2])(
    "measures of neurons are those of whole blocks, on %i threads",
    async (threads) => {
      const model = await stateDict(wide, { num_attention_heads: 8, hidden_size: 96 });
      const whole = await layeredGraph(model, { threads });
      const split = splitHeads(whole, model.topology, { threads });
      expect(split.blocks.filter(({ head }) => head !== undefined)).toHaveLength(32);
      for (const measure of measures) {
        if (measure.id === "hypercore") continue;
        const [own, other] = [measure.run(split), measure.run(whole)];
        own.nodes.forEach((value, neuron) => {
          const expected = other.nodes[neuron]!;
          if (value === null || expected === null) expect(value).toBe(expected);
          else
            expect(Math.abs(value - expected)).toBeLessThanOrEqual(
              1e-10 * Math.abs(expected) + 1e-14,
            );
        });
      }
    },
  );

  test("taps that are collapsed are cut alike", async () => {
    const model = await stateDict(bert, { num_attention_heads: 2 });
    const whole = await layeredGraph(model);
    const collapsed = {
      ...whole,
      blocks: whole.blocks.map((own): Block => {
        const norm = Float64Array.from(edgeWeights(own, "norm"));
        const positiveSum = Float64Array.from(edgeWeights(own, "positiveSum"));
        const negativeSum = Float64Array.from(edgeWeights(own, "negativeSum"));
        return { ...own, weights: null, collapsed: { norm, positiveSum, negativeSum } };
      }),
    };
    expect(edgesOf(splitHeads(collapsed, model.topology))).toEqual(edgesOf(whole));
  });

  test("nodes of normalisations and biases come first", async () => {
    const scale = { scale: tensor("g", [4]), shift: tensor("h", [4]), mean: tensor("m", [4]) };
    const bytes = onnxModel({
      inputs: { x: ["N", "T", 4] },
      initializers: [
        ...squares,
        ...sizes,
        end,
        tensor("b", [4]),
        ...Object.values(scale),
        tensor("var", [4], [1, 1, 1, 1]),
      ],
      nodes: [
        dense("x", "q", "q0"),
        node("Add", ["q0", "b"], ["q1"]),
        ...projected.slice(1),
        ...apart([0, 2, 1, 3], ["q", "v"]),
        ...apart([0, 2, 3, 1], ["k"]),
        node("MatMul", ["q3", "k3"], ["s"]),
        node("Softmax", ["s"], ["a"]),
        node("MatMul", ["a", "v3"], ["y"]),
        ...together,
      ],
    });
    const model = await readModel(memorySource(bytes, "net.onnx"));
    const plain = await layeredGraph(model);
    const { graph } = await addBiasNodes(plain, model);
    const split = splitHeads(graph, model.topology);
    expect(split.blocks.at(-1)).toMatchObject({ name: "bias of q", kind: "bias", rows: 4 });
    expect(headsOf(split)).toEqual(separate("0 1"));
    await expect(addBiasNodes(splitHeads(plain, model.topology), model)).rejects.toMatchObject({
      code: "GRAPH_MALFORMED",
    });
  });

  test("weights that lead to a normalisation's nodes are of their neurons' heads", async () => {
    const model = await stateDict(bert, { num_attention_heads: 2 });
    const vector = { ...model.layers[1]!.tensor, read: async () => Float64Array.of(1, 2, 3, 4) };
    const normalisation = {
      scale: vector,
      shift: null,
      mean: vector,
      variance: vector,
      epsilon: 1,
    };
    const layers = model.layers.map((own, i) => (i === 1 ? { ...own, normalisation } : own));
    const normalised = { ...model, layers };
    const { graph } = await addNormalisationNodes(await layeredGraph(normalised), normalised);
    const split = splitHeads(graph, model.topology);
    expect(edgesOf(split)).toEqual(edgesOf(graph));
    const queries = split.blocks.filter(({ head }) => head?.role === "query");
    expect(queries.map(({ rowNodes }) => [...rowNodes])).toEqual(
      [
        [0, 1],
        [2, 3],
      ].map((own) => own.map((i) => graph.layers.at(-1)!.offset + i)),
    );
  });

  test("a graph of sums, and a model without heads, are refused", async () => {
    const model = await stateDict(wide, { num_attention_heads: 8 });
    const sums = await layeredGraph(model, { keep: "sums" });
    expect(() => splitHeads(sums, model.topology)).toThrowError(
      expect.objectContaining({ code: "GRAPH_WEIGHTS_NOT_KEPT" }),
    );
    expect(() => splitHeads(sums, {})).toThrowError(
      expect.objectContaining({ code: "GRAPH_HEADS_UNKNOWN" }),
    );
  });
});

describe("on the command line", () => {
  let folder = "";
  let file = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "weightgraph-heads-"));
    file = join(folder, "net.safetensors");
    await writeFile(file, stateDictBytes(bert));
    await writeFile(join(folder, "config.json"), JSON.stringify({ num_attention_heads: 2 }));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("analyze --heads: blocks with their heads, in JSON", async () => {
    const args = ["analyze", file, "--heads", "--measures", "persistence"];
    const { graph, blocks } = await weightgraphJson(args);
    expect(graph).toMatchObject({ headBlocks: 8, edges: 4 * 9 + 4 * 16 + 2 * 24 });
    expect(blocks).toHaveLength(1 + 8 + 2);
    expect(blocks).toContainEqual(
      expect.objectContaining({
        name: "layers.0.attention.self.query.weight query head 1",
        head: { role: "query", index: 1 },
        rows: 2,
      }),
    );
  });

  test("in words", async () => {
    const { stderr } = await weightgraph(["analyze", file, "--heads", "--measures", "strength"]);
    expect(stderr).toContain("8 blocks of attention heads");
  });

  test("strengths alone, which stream otherwise", async () => {
    const args = ["analyze", file, "--heads", "--measures", "strength", "--nodes"];
    const plain = await weightgraphJson(args.toSpliced(2, 1));
    expect((await weightgraphJson(args))["nodes"]).toEqual(plain["nodes"]);
  });

  test.each([
    { args: ["--graph", "unrolled"], code: "USAGE_INVALID_OPTION" },
    { args: ["--format", "matrix"], code: "USAGE_INVALID_OPTION" },
  ])("not with $args", async ({ args, code }) => {
    const { code: exit, stderr } = await weightgraph(["analyze", file, "--heads", ...args]);
    expect([exit, stderr]).toEqual([2, expect.stringContaining(code)]);
  });

  test("a model without heads is refused", async () => {
    await rm(join(folder, "config.json"));
    const { code, stderr } = await weightgraph(["analyze", file, "--heads"]);
    expect([code, stderr]).toEqual([4, expect.stringContaining("GRAPH_HEADS_UNKNOWN")]);
  });
});
