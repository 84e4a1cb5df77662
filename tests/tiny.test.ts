/** The whole chain on a handful of weights, in seconds: read, graph, measure, rewrite, write, train, follow, predict. Run it first. */
import { expect, test } from "vitest";
import {
  applyPredictor,
  buildArchitecture,
  eigenvectorCentrality,
  engines,
  fitPredictor,
  layeredGraph,
  joinPieces,
  memorySource,
  nodeStrength,
  patchModel,
  readModel,
  rewireModel,
  signatureFeatures,
  summariseLayers,
  temporalSignature,
  train,
  writeSafetensors,
  type EpochGraph,
  type Split,
} from "../src/index.ts";

const file = writeSafetensors({
  tensors: [
    {
      name: "a.weight",
      dtype: "float32",
      shape: [3, 2],
      data: Float32Array.of(2.25, -0.5, 1, -1.5, -0.75, 2),
    },
    { name: "b.weight", dtype: "float32", shape: [1, 3], data: Float32Array.of(1, -2, 3) },
  ],
});

test("read, graph, measure, rewrite, write", async () => {
  const source = memorySource(file, "tiny.safetensors");
  const model = await readModel(source);
  const [first] = await summariseLayers(model);
  expect(first).toMatchObject({ name: "a.weight", in: 2, out: 3, sum: 2.5 });

  const graph = await layeredGraph(model);
  expect([graph.nodeCount, graph.edgeCount]).toEqual([6, 9]);
  expect(Array.from(nodeStrength(graph).values)).toEqual([2.5, 0, 2.75, -2.5, 4.25, 2]);
  const { values, residual } = eigenvectorCentrality(graph);
  expect(Math.hypot(...values)).toBeCloseTo(1, 12);
  expect(residual).toBeLessThan(1e-9);

  const rewired = await rewireModel(model, { method: "deterministic", layers: ["a.weight"] });
  const [patched] = await patchModel(source, model, rewired.changes);
  const again = await readModel(
    memorySource(await joinPieces(patched!.pieces), "rewired.safetensors"),
  );
  const weights = await again.layers[0]!.tensor.read();
  expect(weights.toSorted()).toEqual((await model.layers[0]!.tensor.read()).toSorted());
  expect(await again.layers[1]!.tensor.read()).toEqual(await model.layers[1]!.tensor.read());
});

/** Two classes told apart by which half of a 2 x 2 image is bright. */
function halves(count: number): Split {
  const images = new Uint8Array(4 * count);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const label = i % 2;
    labels[i] = label;
    images.fill(255, 4 * i + 2 * label, 4 * i + 2 * label + 2);
  }
  return { count, images, labels };
}

test.each(["reference", "wasm"])("train on %s, follow, predict", async (name) => {
  const data = { name: "halves", shape: [1, 2, 2], classes: 2, train: halves(32), test: halves(8) };
  const architecture = buildArchitecture("mlp", { inputShape: [1, 2, 2], classes: 2, hidden: [3] });
  const runs = [];
  for (const learningRate of [0.001, 0.1]) {
    const graphs: EpochGraph[] = [];
    let loss = NaN;
    for await (const snapshot of train({
      architecture,
      data,
      engine: engines.get(name).create(),
      epochs: 3,
      batch: 8,
      seed: 1,
      options: { learningRate },
    })) {
      graphs.push({ epoch: snapshot.epoch, graph: await layeredGraph(await snapshot.load()) });
      loss = snapshot.metrics["test_loss"]!;
    }
    const features = signatureFeatures(await temporalSignature(graphs.slice(0, 2)));
    runs.push({ target: loss, features });
  }
  const [slow, fast] = runs;
  expect(fast!.target).toBeLessThan(slow!.target / 2);
  const predictor = fitPredictor(runs, { lambda: 1 });
  const [worse, better] = runs.map((run) => applyPredictor(predictor, run.features).value);
  expect(better).toBeLessThan(worse!);
});
