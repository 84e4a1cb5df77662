import {
  graphFromMatrix,
  layeredGraph,
  openModel,
  type LayeredGraph,
  type LayeredGraphOptions,
  type ModelWarning,
} from "../src/node.ts";
import { readJson, type CliContext } from "./context.ts";
import type { GraphFlags } from "./graphFlags.ts";
import { checkInput, requireLayers } from "./input.ts";

export interface GraphInputFlags extends GraphFlags {
  readonly format?: "matrix";
}

/**
 * The layered graph of a model file, or of a matrix document, before its edges are weighed and transformed (`withGraphFlags`).
 * @throws {WeightGraphError} of the reader; `FORMAT_NO_WEIGHTS` for a file without weight layers.
 */
export async function readGraph(
  context: CliContext,
  file: string,
  format: GraphInputFlags["format"],
  options: LayeredGraphOptions = {},
): Promise<{ readonly graph: LayeredGraph; readonly warnings: readonly ModelWarning[] }> {
  if (format === "matrix") {
    return { graph: graphFromMatrix(await readJson(context, file)), warnings: [] };
  }
  await checkInput(file);
  const model = await openModel(file, context.limits);
  requireLayers(model);
  return {
    graph: await layeredGraph(model, { ...options, signal: context.signal }),
    warnings: model.warnings,
  };
}
