/** Graphs of which only sums are kept, against those of which every weight is. */
import { describe, expect, test } from "vitest";
import { coreNumber } from "../../src/analysis/coreNumber.ts";
import { nodeStrength } from "../../src/analysis/nodeStrength.ts";
import { weightedDegree } from "../../src/analysis/weightedDegree.ts";
import { memorySource } from "../../src/bytes/source.ts";
import { readModel } from "../../src/formats/detect.ts";
import { writeSafetensors } from "../../src/formats/safetensors/write.ts";
import { signedWeightAt } from "../../src/graph/block.ts";
import { connectedComponents } from "../../src/graph/components.ts";
import { layeredGraph, type LayeredGraph } from "../../src/graph/layeredGraph.ts";
import type { Model, StoredTensor } from "../../src/model/model.ts";
import { createRandom } from "../../src/random.ts";
import { weightLayout } from "../../src/tensor/layout.ts";
import { thrownBy } from "../helpers/errors.ts";

const random = createRandom(3);

function drawn(count: number, zeros: number): Float32Array {
  return Float32Array.from({ length: count }, () =>
    random.uniform() < zeros ? 0 : random.normal(),
  );
}

/** A model of one dense layer between `rows` and `columns` neurons, stored [out, in] or [in, out], read by spans. */
function oneLayer(
  values: Float32Array,
  [rows, columns]: readonly [number, number],
  isTurned: boolean,
): Model {
  const shape = isTurned ? [columns, rows] : [rows, columns];
  const tensor: StoredTensor = {
    name: "w",
    dtype: "float32",
    shape,
    role: "weight",
    read: async () => values,
    async readSpan(start, end, room) {
      const span = values.subarray(start, end);
      if (room === undefined || room.length < span.length) return span.slice();
      room.set(span);
      return room.subarray(0, span.length);
    },
  };
  const layout = weightLayout(shape, isTurned ? ["in", "out"] : ["out", "in"]);
  const ids = (count: number, first: number) =>
    Int32Array.from({ length: count }, (_, i) => first + i);
  return {
    name: "one",
    format: "test",
    producer: null,
    tensors: [tensor],
    layers: [
      {
        name: "w",
        op: null,
        kind: "dense",
        tensor,
        in: columns,
        out: rows,
        layout,
        sendersKnown: true,
      },
    ],
    topology: {
      certainty: "declared",
      layers: [
        { name: "in", size: columns, role: "input" },
        { name: "out", size: rows, role: "hidden" },
      ],
      wires: [
        { layer: 0, from: ids(columns, 0), to: ids(rows, columns), layout, recurrent: false },
      ],
    },
    warnings: [],
    metadata: {},
  };
}

function expectSame(summed: LayeredGraph, whole: LayeredGraph): void {
  expect(summed.blocks.every(({ weights }) => weights === null)).toBe(true);
  expect(connectedComponents(summed)).toEqual(connectedComponents(whole));
  for (const measure of [
    weightedDegree,
    ...(["signed", "absolute", "positive", "negative"] as const).map(
      (sign) => (graph: LayeredGraph) => nodeStrength(graph, { sign }),
    ),
  ]) {
    const [own, expected] = [measure(summed), measure(whole)];
    const scale = nodeStrength(whole, { sign: "absolute" }).values;
    expect(own.covered).toEqual(expected.covered);
    const far = own.values.findIndex(
      (value, node) => Math.abs(value - expected.values[node]!) > 1e-14 * scale[node]!,
    );
    expect(far).toBe(-1);
  }
}

describe.each([
  ["as stored", false],
  ["turned", true],
])("%s", (_, isTurned) => {
  test.each([
    ["one strip", 40, 300, 0.2],
    ["several strips, the last one short", 1051, 2500, 0],
    ["several strips with zeros", 900, 3001, 0.3],
    ["nearly nothing: parts", 1100, 2000, 0.9999],
    ["all zeros", 300, 200, 1],
    ["one row", 1, 40_000, 0],
    ["one column", 40_000, 1, 0],
  ])("%s", async (__, rows, columns, zeros) => {
    const model = oneLayer(drawn(rows * columns, zeros), [rows, columns], isTurned);
    expectSame(await layeredGraph(model, { keep: "sums" }), await layeredGraph(model));
  });
});

test("one thread and two give the same bytes", async () => {
  const model = oneLayer(drawn(900 * 3001, 0), [900, 3001], false);
  const [one, two] = await Promise.all(
    [1, 2].map((threads) => layeredGraph(model, { keep: "sums", threads })),
  );
  expect(two!.blocks[0]!.sums).toEqual(one!.blocks[0]!.sums);
});

test("convolutions, half precision and a weight that is not finite", async () => {
  const source = (name: string, bytes: Uint8Array) => readModel(memorySource(bytes, name));
  const model = await source(
    "m.safetensors",
    writeSafetensors({
      tensors: [
        { name: "a.weight", dtype: "float32", shape: [6, 4, 3, 3], data: drawn(216, 0.3) },
        { name: "b.weight", dtype: "float16", shape: [3, 6, 1, 1], data: drawn(18, 0) },
      ],
    }),
  );
  expectSame(await layeredGraph(model, { keep: "sums" }), await layeredGraph(model));

  const bad = drawn(3_000_000, 0);
  bad[2_500_000] = Infinity;
  const broken = oneLayer(bad, [1000, 3000], false);
  await expect(layeredGraph(broken, { keep: "sums" })).rejects.toMatchObject({
    code: "WEIGHTS_NOT_FINITE",
    message: "element 2500000 is Infinity",
  });
});

test("what needs single weights says so", async () => {
  const model = oneLayer(drawn(6, 0), [2, 3], false);
  const graph = await layeredGraph(model, { keep: "sums" });
  expect(thrownBy(() => coreNumber(graph), "GRAPH_WEIGHTS_NOT_KEPT").path).toEqual(["w"]);
  thrownBy(() => signedWeightAt(graph.blocks[0]!, 0), "GRAPH_WEIGHTS_NOT_KEPT");
});

test("an aborted signal ends the reading", async () => {
  const model = oneLayer(drawn(3_000_000, 0), [1000, 3000], false);
  const signal = AbortSignal.abort(new Error("enough"));
  for (const keep of ["sums", "edges"] as const) {
    await expect(layeredGraph(model, { keep, signal })).rejects.toThrow("enough");
  }
});
