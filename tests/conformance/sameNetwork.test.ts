/** One network in two files is one graph, whatever the formats: same layers, same strengths, same centrality. */
import { describe, expect, test } from "vitest";
import {
  eigenvectorCentrality,
  layeredGraph,
  nodeStrength,
  openModel,
  type LayeredGraph,
  type Model,
  type Wire,
} from "../../src/node.ts";
import { hasSharedData, sharedPath } from "../helpers/shared.ts";

const open = async (file: string): Promise<LayeredGraph> =>
  layeredGraph(await openModel(sharedPath(file)));

/** Signed strength of every neuron, layer by layer. */
function strengthsOf(graph: LayeredGraph): Float64Array[] {
  const { values } = nodeStrength(graph);
  return graph.layers.map(({ offset, size }) => values.slice(offset, offset + size));
}

function expectSame(actual: LayeredGraph, expected: LayeredGraph, tolerance: number): void {
  expect(actual.layers.map(({ size }) => size)).toEqual(expected.layers.map(({ size }) => size));
  expect(actual.edgeCount).toBe(expected.edgeCount);
  const theirs = strengthsOf(expected);
  for (const [layer, strengths] of strengthsOf(actual).entries()) {
    const scale = theirs[layer]!.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    strengths.forEach((strength, i) => {
      expect(Math.abs(strength - theirs[layer]![i]!)).toBeLessThanOrEqual(tolerance * scale);
    });
  }
  const [one, other] = [actual, expected].map((graph) => eigenvectorCentrality(graph));
  expect(one!.eigenvalue / other!.eigenvalue).toBeCloseTo(1, 6);
}

describe.skipIf(!hasSharedData)("the same network", () => {
  test.each([
    { one: "tfjs-graph/magika_v3_3/model.json", other: "onnx/magika_standard_v3_3.onnx" },
    { one: "onnx/hello_deepa_ext/hello_deepa_ext.onnx", other: "onnx/hello_deepa.onnx" },
    {
      one: "checkpoints/mnist_mlp/epoch_006.safetensors",
      other: "checkpoints/mnist_mlp/final.onnx",
    },
    { one: "checkpoints/mnist_mlp/epoch_006.pt", other: "checkpoints/mnist_mlp/final.onnx" },
    { one: "checkpoints/mnist_mlp/epoch_006.npz", other: "checkpoints/mnist_mlp/final.onnx" },
    {
      one: "checkpoints/mnist_mlp/epoch_006.weights.h5",
      other: "checkpoints/mnist_mlp/final.onnx",
    },
    {
      one: "keras-h5/mnist_mlp_epoch006_gzip_latest.weights.h5",
      other: "checkpoints/mnist_mlp/final.onnx",
    },
  ])("$one is $other", async ({ one, other }) => {
    expectSame(await open(one), await open(other), 1e-6);
  });

  test("version-RFB-320 as ONNX and as PyTorch state dict: the same weights between the same neurons", async () => {
    const [onnx, torch] = await Promise.all(
      ["onnx/version-RFB-320.onnx", "pytorch/version-RFB-320.pth"].map((file) =>
        openModel(sharedPath(file)),
      ),
    );
    const stored = new Map(torch!.layers.map((layer) => [layer.name, layer]));
    expect(onnx!.layers.map(({ name }) => name).toSorted()).toEqual([...stored.keys()].toSorted());
    for (const layer of onnx!.layers) {
      expect(await layer.tensor.read()).toEqual(await stored.get(layer.name)!.tensor.read());
    }
    // The state dict says nothing of branches, shortcuts and heads: they are inferred from names and shapes.
    expectSameNeurons(torch!, onnx!);
  });
});

/** Wire by wire, matched by name, one numbering of the neurons is the other in another order. */
function expectSameNeurons(actual: Model, expected: Model): void {
  const wiresOf = (model: Model): Map<string, Wire> =>
    new Map(model.topology.wires.map((wire) => [model.layers[wire.layer]!.name, wire]));
  const [ours, theirs] = [wiresOf(actual), wiresOf(expected)];
  expect([...ours.keys()].toSorted()).toEqual([...theirs.keys()].toSorted());
  const forth = new Map<number, number>();
  const back = new Map<number, number>();
  for (const [name, wire] of ours) {
    const other = theirs.get(name)!;
    expect(wire.layout.taps, name).toBe(other.layout.taps);
    for (const end of ["from", "to"] as const) {
      expect(wire[end].length, `${name} ${end}`).toBe(other[end].length);
      wire[end].forEach((id, i) => {
        const same = other[end][i]!;
        expect([forth.get(id) ?? same, back.get(same) ?? id], `${name} ${end}`).toEqual([same, id]);
        forth.set(id, same);
        back.set(same, id);
      });
    }
  }
}
