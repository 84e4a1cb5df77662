/** Graphs of which only sums are kept, against those of which every weight is. */
import { mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { coreNumber } from "../../src/analysis/coreNumber.ts";
import { nodeStrength } from "../../src/analysis/nodeStrength.ts";
import { weightedDegree } from "../../src/analysis/weightedDegree.ts";
import { fileSource } from "../../src/bytes/file.ts";
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

describe("a file that is read ahead", () => {
  const side = 1500;
  let folder: string;
  let file: string;
  /** Open files, where the system tells. */
  const handles = async (): Promise<number> =>
    (await readdir("/proc/self/fd").catch(() => [])).length;
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);

  const data = drawn(side * side, 0);
  const bytes = writeSafetensors({
    tensors: ["a", "b", "c"].map((name) => ({
      name: `${name}.weight`,
      dtype: "float32" as const,
      shape: [side, side],
      data,
    })),
  });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "weightgraph-sums-"));
    file = join(folder, "m.safetensors");
    process.on("unhandledRejection", note);
  });
  afterAll(async () => {
    process.off("unhandledRejection", note);
    await rm(folder, { recursive: true });
  });
  beforeEach(() => writeFile(file, bytes));

  test("gives what it gives from memory", async () => {
    const model = await readModel(await fileSource(file));
    const memory = await readModel(memorySource(bytes, "m.safetensors"));
    const [own, expected] = await Promise.all(
      [model, memory].map((each) => layeredGraph(each, { keep: "sums" })),
    );
    expect(own!.blocks).toEqual(expected!.blocks);
    expectSame(own!, await layeredGraph(memory));
  });

  test.each([
    ["in the first tensor", 0.1],
    ["where two tensors meet", 1 / 3],
    ["in the last tensor", 0.9],
  ])("that becomes shorter: one clear error, %s", async (_, share) => {
    const model = await readModel(await fileSource(file));
    await truncate(file, Math.floor(share * 12 * side * side));
    const before = await handles();
    await expect(layeredGraph(model, { keep: "sums" })).rejects.toMatchObject({
      code: "FORMAT_TRUNCATED",
      message: "the file became shorter while being read",
    });
    expect(await handles()).toBe(before);
    await setImmediate();
    expect(unhandled).toEqual([]);
  });

  test("that goes away", async () => {
    const model = await readModel(await fileSource(file));
    await rm(file);
    await expect(layeredGraph(model, { keep: "sums" })).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
    });
    await setImmediate();
    expect(unhandled).toEqual([]);
  });

  test("is let go when a weight is not finite, or the signal says so", async () => {
    const bad = bytes.slice();
    bad.set([0, 0, 0x80, 0x7f], bad.byteLength - 4 * (2 * side * side + 6));
    await writeFile(file, bad);
    const before = await handles();
    const broken = await readModel(await fileSource(file));
    await expect(layeredGraph(broken, { keep: "sums" })).rejects.toMatchObject({
      code: "WEIGHTS_NOT_FINITE",
      path: ["m.safetensors", "a.weight"],
      message: `element ${side * side - 6} is Infinity`,
    });
    const interruption = new AbortController();
    const reading = layeredGraph(broken, { keep: "sums", signal: interruption.signal });
    interruption.abort(new Error("enough"));
    await expect(reading).rejects.toThrow("enough");
    expect(await handles()).toBe(before);
    await setImmediate();
    expect(unhandled).toEqual([]);
  });
});
