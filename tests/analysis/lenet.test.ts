/** The rolled graph of LeNet-5 (paper: doi 10.1145/3511808.3557628, whose code counts 239 nodes; edges by hand), in memory. */
import { describe, expect, test } from "vitest";
import { measures } from "../../src/analysis/registry.ts";
import { connectedComponents } from "../../src/graph/components.ts";
import { layeredGraph } from "../../src/graph/layeredGraph.ts";
import type { Model, StoredTensor, WeightLayer } from "../../src/model/model.ts";
import { topologyBuilder } from "../../src/model/topology.ts";
import { createRandom } from "../../src/random.ts";
import { weightLayout, type AxisRole } from "../../src/tensor/layout.ts";

const random = createRandom(5);

interface Kernel {
  readonly name: string;
  readonly split: readonly number[];
  readonly roles: readonly AxisRole[];
}

/** A flatten puts 5 x 5 positions behind each of conv2's 16 channels. */
const kernels: readonly Kernel[] = [
  { name: "conv1", split: [6, 3, 5, 5], roles: ["out", "in", "tap", "tap"] },
  { name: "conv2", split: [16, 6, 5, 5], roles: ["out", "in", "tap", "tap"] },
  { name: "fc1", split: [120, 16, 25], roles: ["out", "in", "tap"] },
  { name: "fc2", split: [84, 120], roles: ["out", "in"] },
  { name: "fc3", split: [10, 84], roles: ["out", "in"] },
];

function lenet(): Model {
  const builder = topologyBuilder();
  let from = builder.addLayer("input", 3, "input");
  const layers = kernels.map(({ name, split, roles }, layer): WeightLayer => {
    const layout = weightLayout(split, roles);
    const to = builder.addLayer(name, layout.outPerGroup, "hidden");
    builder.connect({ layer, from, to, layout, recurrent: false });
    from = to;
    const size = split.reduce((product, side) => product * side, 1);
    const values = Float32Array.from({ length: size }, () => random.normal() * 0.1);
    const tensor: StoredTensor = {
      name,
      dtype: "float32",
      shape: split,
      role: "weight",
      read: () => Promise.resolve(values),
    };
    const sizes = { in: layout.inPerGroup, out: layout.outPerGroup };
    return { name, op: null, kind: "dense", tensor, layout, sendersKnown: true, ...sizes };
  });
  return {
    name: "lenet",
    format: "memory",
    producer: null,
    tensors: layers.map(({ tensor }) => tensor),
    layers,
    topology: builder.build("declared"),
    warnings: [],
    metadata: {},
  };
}

/** Outputs send nothing, inputs receive nothing: no hypercore number, no authority. */
const coveredBy: Readonly<Record<string, number>> = { hypercore: 229, hits: 236 };

describe("LeNet on 3 x 32 x 32", async () => {
  const graph = await layeredGraph(lenet());

  test("239 nodes, 12,954 edges, one component", () => {
    expect(graph.layers.map(({ size }) => size)).toEqual([3, 6, 16, 120, 84, 10]);
    expect(graph.nodeCount).toBe(239);
    expect(graph.edgeCount).toBe(18 + 96 + 1920 + 10080 + 840);
    expect(graph.edgeCount).toBe(12954);
    const { sizes, nonZeroEdges } = connectedComponents(graph);
    expect(Array.from(sizes)).toEqual([239]);
    expect(nonZeroEdges).toBe(12954);
  });

  test.each(measures)("$id runs on it", (measure) => {
    const { nodes, summary } = measure.run(graph);
    expect(nodes).toHaveLength(239);
    expect(nodes.filter((value) => value !== null)).toHaveLength(coveredBy[measure.id] ?? 239);
    expect(summary.summary?.std).toBeGreaterThan(0);
  });
});
