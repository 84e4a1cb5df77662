import {
  graphFromMatrix,
  layeredGraph,
  openModel,
  type LayeredGraph,
  type ModelWarning,
} from "../src/node.ts";
import { readJson, type CliContext } from "./context.ts";
import { checkInput, requireLayers } from "./input.ts";

/**
 * The layered graph of a model file, or of a matrix document.
 * @throws {WeightGraphError} of the reader; `FORMAT_NO_WEIGHTS` for a file without weight layers.
 */
export async function readGraph(
  context: CliContext,
  file: string,
  format: "matrix" | undefined,
): Promise<{ readonly graph: LayeredGraph; readonly warnings: readonly ModelWarning[] }> {
  if (format === "matrix") {
    return { graph: graphFromMatrix(await readJson(context, file)), warnings: [] };
  }
  await checkInput(file);
  const model = await openModel(file, context.limits);
  requireLayers(model);
  return { graph: await layeredGraph(model), warnings: model.warnings };
}
