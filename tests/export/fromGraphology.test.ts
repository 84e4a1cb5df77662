import { DirectedGraph, MultiDirectedGraph, UndirectedGraph } from "graphology";
import { parse } from "graphology-gexf";
import type { AbstractGraph } from "graphology-types";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeStrength } from "../../src/analysis/nodeStrength.ts";
import { fromGraphology, type FromGraphologyOptions } from "../../src/export/fromGraphology.ts";
import { toGexf } from "../../src/export/toGexf.ts";
import { toGraphology } from "../../src/export/toGraphology.ts";
import { assembleGraph, type Block, type LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { graphFromMatrix } from "../../src/graph/matrix.ts";
import { weighEdges } from "../../src/graph/edgeWeight.ts";
import { transformGraph } from "../../src/graph/transformGraph.ts";
import { reduceGraph } from "../../src/graph/reduce.ts";
import { layeredGraph, openModel } from "../../src/node.ts";
import { chainGraph, rolledToy } from "../helpers/methods.ts";
import { thrownBy } from "../helpers/errors.ts";

/** Every edge of non-zero weight as text, sorted: what has to survive a round trip. */
function edgesOf(graph: LayeredGraph): string[] {
  const { from, to, weight, block } = reduceGraph(graph, { edgeBudget: Number.MAX_SAFE_INTEGER });
  return Array.from(
    weight,
    (value, i) => `${from[i]}>${to[i]} ${graph.blocks[block[i]!]!.name} ${value}`,
  ).sort();
}

/** A convolution in two groups, with a layer that feeds itself, as a residual sum makes it. */
function groupedAndResidual(): LayeredGraph {
  const taps = { groups: 1, taps: 1 };
  const blocks: Block[] = [
    {
      name: "grouped",
      weights: Float32Array.of(3, 4, -3, -4, 0, 1, 2, 0),
      rows: 4,
      columns: 4,
      groups: 2,
      taps: 1,
      rowNodes: Int32Array.of(4, 5, 6, 7),
      columnNodes: Int32Array.of(0, 1, 2, 3),
    },
    {
      ...taps,
      name: "within",
      weights: Float64Array.from({ length: 16 }, (_, i) => i - 8),
      rows: 4,
      columns: 4,
      rowNodes: Int32Array.of(4, 5, 6, 7),
      columnNodes: Int32Array.of(4, 5, 6, 7),
    },
    {
      ...taps,
      name: "back",
      weights: Float64Array.of(1, 2, 3, 4),
      rows: 1,
      columns: 4,
      rowNodes: Int32Array.of(0),
      columnNodes: Int32Array.of(4, 5, 6, 7),
    },
  ];
  const layers = [
    { name: "a", size: 4 },
    { name: "b", size: 4 },
    { name: "alone", size: 2 },
  ];
  return assembleGraph("odd", layers, blocks, "inferred");
}

const parallel = graphFromMatrix({
  blocks: [
    { from: "a", to: "b", weights: [[1, 0, -3]] },
    { from: "a", to: "b", weights: [[2, 5, 1]] },
    { from: "a", to: "b", weights: [[2, 5, 1]] },
    { from: "b", to: "c", weights: [[7], [0]] },
  ],
});

describe("a round trip keeps nodes, layers and weights", () => {
  test.each([
    { name: "a chain with kernels", graph: rolledToy() },
    { name: "parallel blocks", graph: parallel },
    { name: "groups, a layer that feeds itself, nodes alone", graph: groupedAndResidual() },
    {
      name: "1 x 1",
      graph: graphFromMatrix({ blocks: [{ from: "a", to: "b", weights: [[-1]] }] }),
    },
    { name: "nothing but zeros", graph: chainGraph([{ rows: [[0, 0]] }]) },
    { name: "one huge weight and a denormal", graph: chainGraph([{ rows: [[1e300, 5e-324]] }]) },
  ])("$name", ({ graph }) => {
    const again = fromGraphology(toGraphology(graph)).graph;
    expect(again.layers).toEqual(graph.layers);
    expect(again.name).toBe(graph.name);
    expect(again.certainty).toBe(graph.certainty);
    expect(edgesOf(again)).toEqual(edgesOf(graph));
  });

  test("as many groups as the zeros allow, and all of a layer's neurons", () => {
    const { blocks } = fromGraphology(toGraphology(groupedAndResidual())).graph;
    expect(blocks.map(({ name, rows, columns, groups }) => [name, rows, columns, groups])).toEqual([
      ["grouped", 4, 4, 2],
      ["within", 4, 4, 1],
      ["back", 4, 4, 1],
    ]);
  });

  test("for every chain, whatever its zeros, and the other way round too", () => {
    const weight = fc.oneof(fc.constant(0), fc.double({ noNaN: true, min: -1e6, max: 1e6 }));
    const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 4 });
    const chains = sizes.chain((all) =>
      fc.tuple(
        ...all.slice(1).map((rows, i) =>
          fc.array(fc.array(weight, { minLength: all[i]!, maxLength: all[i]! }), {
            minLength: rows,
            maxLength: rows,
          }),
        ),
      ),
    );
    fc.assert(
      fc.property(chains, (blocks) => {
        const graph = chainGraph(blocks.map((rows) => ({ rows })));
        const exported = toGraphology(graph);
        const again = fromGraphology(exported).graph;
        expect(edgesOf(again)).toEqual(edgesOf(graph));
        expect(again.layers).toEqual(graph.layers);
        const twice = toGraphology(again);
        expect(twice.nodes()).toEqual(exported.nodes());
        expect(twice.mapNodes((_key, { label, layer }) => [label, layer])).toEqual(
          exported.mapNodes((_key, { label, layer }) => [label, layer]),
        );
        expect(twice.mapEdges((_edge, { weight: own }, from, to) => [from, to, own])).toEqual(
          exported.mapEdges((_edge, { weight: own }, from, to) => [from, to, own]),
        );
      }),
      { numRuns: 60 },
    );
  });

  test("with the record of what was done to the weights", () => {
    const done = transformGraph(weighEdges(parallel, "sum"), ["threshold=2"]);
    const again = fromGraphology(toGraphology(done)).graph;
    expect(again).toMatchObject({ edgeWeight: "sum", transforms: ["threshold=2"] });
    expect(edgesOf(again)).toEqual(edgesOf(done));
    const odd = toGraphology(parallel);
    odd.setAttribute("transforms", [1] as never);
    expect(fromGraphology(odd).graph).toMatchObject({ edgeWeight: "norm", transforms: [] });
  });

  test("undirected edges too: they run from the earlier layer to the later", () => {
    const again = fromGraphology(toGraphology(parallel, { type: "undirected" })).graph;
    expect(edgesOf(again)).toEqual(edgesOf(parallel));
  });

  test("through a GEXF file, and with the nodes in any order", () => {
    const parsed = parse(MultiDirectedGraph, toGexf(parallel));
    expect(edgesOf(fromGraphology(parsed).graph)).toEqual(edgesOf(parallel));
    const mixed = new MultiDirectedGraph();
    parsed
      .nodes()
      .reverse()
      .forEach((key) => mixed.addNode(key, parsed.getNodeAttributes(key)));
    parsed.forEachEdge((_edge, attributes, from, to) => mixed.addEdge(from, to, attributes));
    const { graph, keys } = fromGraphology(mixed);
    expect(keys).toEqual(["0", "1", "2", "3", "4", "5"]);
    expect(edgesOf(graph)).toEqual(edgesOf(parallel));
  });

  test("of a trained network: strengths are the same to the last bit", async () => {
    const graph = await layeredGraph(await openModel("fixtures/mnist-mlp/final.onnx"));
    const again = fromGraphology(toGraphology(graph)).graph;
    expect(again.blocks.map(({ rows, columns }) => [rows, columns])).toEqual(
      graph.blocks.map(({ rows, columns }) => [rows, columns]),
    );
    expect(nodeStrength(again).values).toEqual(nodeStrength(graph).values);
  });
});

describe("graphs from elsewhere", () => {
  /** a and b feed c, a also feeds d, c feeds d; e stands alone. */
  function diamond(): DirectedGraph {
    const graph = new DirectedGraph();
    for (const key of ["d", "c", "b", "a", "e"]) graph.addNode(key);
    graph.addEdge("a", "c", { weight: 2 });
    graph.addEdge("b", "c", { weight: -1 });
    graph.addEdge("a", "d", { weight: 0.5 });
    graph.addEdge("c", "d", { weight: 4 });
    return graph;
  }

  test("layers by direction: the longest path that ends in a node (hand)", () => {
    const { graph, keys } = fromGraphology(diamond());
    expect(graph.layers.map(({ name, size }) => [name, size])).toEqual([
      ["layer0", 3],
      ["layer1", 1],
      ["layer2", 1],
    ]);
    expect(keys).toEqual(["b", "a", "e", "c", "d"]);
    expect(graph.certainty).toBe("inferred");
    expect(edgesOf(graph)).toEqual([
      "0>3 layer0 to layer1 -1",
      "1>3 layer0 to layer1 2",
      "1>4 layer0 to layer2 0.5",
      "3>4 layer1 to layer2 4",
    ]);
  });

  test("other attributes tell layer and weight; layers in the order of first mention", () => {
    const graph = new DirectedGraph();
    graph.addNode("x", { stage: 2, rank: 0.3 });
    graph.addNode("y", { stage: "first", rank: 0.9 });
    graph.addEdge("x", "y", { strength: 3, block: "w" });
    const { layers, blocks } = fromGraphology(graph, { layer: "stage", weight: "strength" }).graph;
    expect(layers.map(({ name }) => name)).toEqual(["2", "first"]);
    expect(blocks).toMatchObject([{ name: "w", weights: Float64Array.of(3) }]);
    const ones = fromGraphology(graph, { layer: "stage", weight: null }).graph;
    expect(ones.blocks[0]!.weights).toEqual(Float64Array.of(1));
  });

  test("relabelling the keys changes nothing but the keys", () => {
    const graph = diamond();
    const renamed = new DirectedGraph();
    graph.forEachNode((key) => renamed.addNode(`node ${key}`));
    graph.forEachEdge((_edge, attributes, from, to) =>
      renamed.addEdge(`node ${from}`, `node ${to}`, attributes),
    );
    expect(fromGraphology(renamed).graph).toEqual(fromGraphology(graph).graph);
    expect(fromGraphology(renamed).keys[0]).toBe("node b");
  });

  test("a graph without nodes is a graph without layers", () => {
    expect(fromGraphology(new DirectedGraph()).graph).toMatchObject({ layers: [], edgeCount: 0 });
  });

  const edge = (attributes: object, layers: readonly unknown[] = ["a", "b"]): AbstractGraph => {
    const graph = new DirectedGraph();
    layers.forEach((layer, i) => graph.addNode(i, layer === undefined ? {} : { layer }));
    graph.addEdgeWithKey("e", 0, 1, attributes);
    return graph;
  };
  const undirected = (layers: readonly string[] | null): AbstractGraph => {
    const graph = new UndirectedGraph();
    for (const i of [0, 1]) graph.addNode(i, layers === null ? {} : { layer: layers[i] });
    graph.addEdgeWithKey("e", 0, 1, { weight: 1 });
    return graph;
  };
  const circle = new DirectedGraph();
  circle.mergeEdge("a", "b", { weight: 1 });
  circle.mergeEdge("b", "a", { weight: 1 });

  test.each<{
    name: string;
    graph: AbstractGraph;
    options?: FromGraphologyOptions;
    code: "GRAPH_MALFORMED" | "WEIGHTS_NOT_FINITE";
    path: string[];
  }>([
    { name: "no weight", graph: edge({}), code: "GRAPH_MALFORMED", path: ["edges", "e", "weight"] },
    {
      name: "a weight that is no number",
      graph: edge({ weight: "3" }),
      code: "GRAPH_MALFORMED",
      path: ["edges", "e", "weight"],
    },
    {
      name: "a weight that is not finite",
      graph: edge({ weight: Infinity }),
      code: "WEIGHTS_NOT_FINITE",
      path: ["edges", "e", "weight"],
    },
    {
      name: "a node without a layer",
      graph: edge({ weight: 1 }, ["a", undefined]),
      code: "GRAPH_MALFORMED",
      path: ["nodes", "1", "layer"],
    },
    {
      name: "a layer of another name than asked for",
      graph: edge({ weight: 1 }),
      options: { layer: "stage" },
      code: "GRAPH_MALFORMED",
      path: ["nodes", "0", "stage"],
    },
    {
      name: "a cycle without layers",
      graph: circle,
      code: "GRAPH_MALFORMED",
      path: ["nodes", "a"],
    },
    {
      name: "undirected edges without layers",
      graph: undirected(null),
      code: "GRAPH_MALFORMED",
      path: ["nodes"],
    },
    {
      name: "an undirected edge within a layer",
      graph: undirected(["a", "a"]),
      code: "GRAPH_MALFORMED",
      path: ["edges", "e"],
    },
  ])("refuses $name", ({ graph, options, code, path }) => {
    expect(thrownBy(() => fromGraphology(graph, options), code).path).toEqual(path);
  });

  test("refuses what would explode: few edges between large layers (hand)", () => {
    const star = new DirectedGraph();
    for (let i = 0; i < 2000; i++) star.addNode(i, { layer: i < 1000 ? "a" : "b" });
    star.addEdge(0, 1999, { weight: 1 });
    star.addEdge(999, 1000, { weight: 1 });
    const error = thrownBy(
      () => fromGraphology(star, { weightBudget: 999_999 }),
      "GRAPH_TOO_LARGE",
    );
    expect(error.message).toContain("1000000 numbers");
    expect(fromGraphology(star, { weightBudget: 1_000_000 }).graph.edgeCount).toBe(1_000_000);
    // Along the diagonal the zeros between the groups take no room.
    const lines = new DirectedGraph();
    for (let i = 0; i < 2000; i++) lines.addNode(i, { layer: i < 1000 ? "a" : "b" });
    for (let i = 0; i < 1000; i++) lines.addEdge(i, 1000 + i, { weight: 1 });
    expect(fromGraphology(lines, { weightBudget: 1000 }).graph.blocks[0]!.groups).toBe(1000);
  });
});
