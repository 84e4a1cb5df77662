import { describe, expect, test } from "vitest";
import {
  layeredGraph,
  memorySource,
  readModel,
  writeSafetensors,
  type Model,
} from "../../src/index.ts";
import { naturalOrder } from "../../src/model/naturalOrder.ts";

type Shapes = readonly (readonly [name: string, ...shape: number[]])[];

async function stateDict(shapes: Shapes): Promise<Model> {
  const tensors = shapes.map(([name, ...shape]) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const data = new Float32Array(count).map((_, i) => i + 1);
    return { name, dtype: "float32" as const, shape, data };
  });
  return readModel(memorySource(writeSafetensors({ tensors }), "net"));
}

const layersOf = (model: Model): [string, number][] =>
  model.topology.layers.map(({ name, size }) => [name, size]);

describe("chains by shape (expected layers by hand)", () => {
  test.each<{ name: string; shapes: Shapes; layers: [string, number][]; breaks: number }>([
    {
      name: "an MLP",
      shapes: [
        ["0.weight", 4, 3],
        ["2.weight", 2, 4],
      ],
      layers: [
        ["input", 3],
        ["0.weight", 4],
        ["2.weight", 2],
      ],
      breaks: 0,
    },
    {
      name: "LeNet-5: a flatten puts positions behind channels, 239 neurons",
      shapes: [
        ["0", 6, 1, 5, 5],
        ["3", 16, 6, 5, 5],
        ["7", 120, 400],
        ["9", 84, 120],
        ["11", 10, 84],
      ],
      layers: [
        ["input", 1],
        ["0", 6],
        ["3", 16],
        ["7", 120],
        ["9", 84],
        ["11", 10],
      ],
      breaks: 0,
    },
    {
      name: "a depthwise kernel",
      shapes: [
        ["stem", 4, 3, 3, 3],
        ["depth", 8, 1, 3, 3],
        ["point", 2, 8, 1, 1],
      ],
      layers: [
        ["input", 3],
        ["stem", 4],
        ["depth", 8],
        ["point", 2],
      ],
      breaks: 0,
    },
    {
      name: "a second head starts anew",
      shapes: [
        ["trunk", 4, 3],
        ["a", 2, 4],
        ["b", 3, 4],
      ],
      layers: [
        ["input", 3],
        ["trunk", 4],
        ["a", 2],
        ["before b", 4],
        ["b", 3],
      ],
      breaks: 1,
    },
    {
      name: "no flatten between dense layers",
      shapes: [
        ["a", 4, 3],
        ["b", 2, 8],
      ],
      layers: [
        ["input", 3],
        ["a", 4],
        ["before b", 8],
        ["b", 2],
      ],
      breaks: 1,
    },
    {
      name: "letters sorted, numbers meant",
      shapes: [
        ["l.1", 4, 3],
        ["l.10", 2, 5],
        ["l.2", 5, 4],
      ],
      layers: [
        ["input", 3],
        ["l.1", 4],
        ["l.2", 5],
        ["l.10", 2],
      ],
      breaks: 0,
    },
    {
      name: "both directions of an LSTM of 2 units",
      shapes: [
        ["r.weight_ih_l0", 8, 3],
        ["r.weight_hh_l0", 8, 2],
        ["r.weight_ih_l0_reverse", 8, 3],
        ["r.weight_hh_l0_reverse", 8, 2],
        ["fc", 1, 4],
      ],
      layers: [
        ["input", 3],
        ["r.weight_ih_l0", 2],
        ["r.weight_ih_l0_reverse", 2],
        ["fc", 1],
      ],
      breaks: 0,
    },
  ])("$name", async ({ shapes, layers, breaks }) => {
    const model = await stateDict(shapes);
    expect(layersOf(model)).toEqual(layers);
    expect(model.topology.certainty).toBe("inferred");
    const [warning] = model.warnings;
    expect(warning?.code).toBe("TOPOLOGY_INFERRED");
    expect(warning?.message.includes("new source")).toBe(breaks > 0);
  });
});

test("a flattened dense layer sums over the positions of a channel", async () => {
  const model = await stateDict([
    ["conv", 2, 1, 1, 1],
    ["fc", 1, 6],
  ]);
  const graph = await layeredGraph(model, { keep: "taps" });
  const block = graph.blocks[1]!;
  expect([block.rows, block.columns, block.taps]).toEqual([1, 2, 3]);
  expect(Array.from(block.weights!)).toEqual([1, 2, 3, 4, 5, 6]);
});

test("recurrent weights are wires into their own layer", async () => {
  const model = await stateDict([
    ["r.weight_hh_l0", 6, 2],
    ["r.weight_ih_l0", 6, 3],
  ]);
  expect(model.topology.wires.map(({ recurrent }) => recurrent)).toEqual([false, true]);
  expect(Array.from(model.topology.wires[1]!.from)).toEqual([3, 4]);
  expect((await layeredGraph(model)).nodeCount).toBe(5);
});

test("natural order counts", () => {
  const names = [
    "b",
    "a10",
    "a9",
    "a09",
    "a",
    "a9b",
    "a100000000000000000001",
    "a100000000000000000000",
  ];
  expect(names.sort(naturalOrder)).toEqual([
    "a",
    "a9",
    "a9b",
    "a09",
    "a10",
    "a100000000000000000000",
    "a100000000000000000001",
    "b",
  ]);
});
