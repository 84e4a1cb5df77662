import { buildCommand, type Command } from "@stricli/core";
import {
  coverageOf,
  openModel,
  summariseLayers,
  type LayerSummary,
  type Model,
} from "../../src/node.ts";
import { progressLine, say, sayWarnings, writeJson, type CliContext } from "../context.ts";
import { jsonFlag, modelFile } from "../flags.ts";
import { checkInput, requireLayers } from "../input.ts";
import { numberText, percentText, printable, renderTable } from "../render.ts";

export const layersCommand: Command<CliContext> = buildCommand<
  { readonly json: boolean },
  [string],
  CliContext
>({
  docs: {
    brief: "List the weight layers of a model file, in numbers",
    fullDescription:
      "One line per tensor that connects neurons, in graph order. Sums are over dequantised values, in float64; biases and " +
      "normalisation are left out of the list and counted in the coverage.",
  },
  parameters: {
    flags: { json: jsonFlag },
    positional: modelFile,
  },
  async func({ json }, file) {
    await checkInput(file);
    const model = await openModel(file, this.limits);
    requireLayers(model);
    const progress = progressLine(this, "reading");
    const layers = await summariseLayers(model, {
      signal: this.signal,
      onProgress: (done, total) => progress.update(percentText(done / total)),
    });
    progress.done();
    if (json) writeJson(this, layersDocument(model, layers));
    else printLayers(this, model, layers);
  },
});

function layersDocument(model: Model, layers: readonly LayerSummary[]): Record<string, unknown> {
  const coverage = coverageOf(model);
  return {
    schema: "weightgraph.layers",
    version: 1,
    model: {
      name: model.name,
      format: model.format,
      producer: model.producer,
      parameters: coverage.parameters,
      weights: layers.reduce((sum, layer) => sum + layer.numel, 0),
      topology: model.topology.certainty,
    },
    layers,
    coverage,
    warnings: model.warnings,
  };
}

function printLayers(context: CliContext, model: Model, layers: readonly LayerSummary[]): void {
  const coverage = coverageOf(model);
  const headers = ["name", "op", "kind", "shape", "dtype", "in", "out", "numel", "sum", "sum |w|"];
  const rows = layers.map((layer) => [
    layer.name,
    layer.op,
    layer.kind,
    `[${layer.shape.join(", ")}]`,
    layer.quantisation ?? layer.dtype,
    layer.in,
    layer.out,
    layer.numel,
    layer.sum,
    layer.sumAbs,
    layer.l2,
    layer.outStrength?.mean,
    layer.outStrength?.std,
  ]);
  const table = renderTable([...headers, "l2", "strength", "sd"], rows);
  context.process.stdout.write(`${table}\n`);
  const by = model.producer ? ` by ${printable(model.producer)}` : "";
  say(
    context,
    `${printable(model.name)}: ${model.format}${by}, ${layers.length} weight layers, ` +
      `topology ${model.topology.certainty}`,
  );
  say(
    context,
    `coverage: ${numberText(coverage.explained)} of ${numberText(coverage.parameters)} parameters ` +
      `explained (${percentText(coverage.share)})`,
  );
  for (const { name, shape } of coverage.unexplained.slice(0, 10)) {
    say(context, `  not explained: ${printable(name)} [${shape.join(", ")}]`);
  }
  sayWarnings(context, model.warnings);
}
