import {
  addBiasNodes,
  foldNormalisation,
  graphFromMatrix,
  layeredGraph,
  openModel,
  UsageError,
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
  { format, biasNodes, foldNorm }: Pick<GraphInputFlags, "format" | "biasNodes" | "foldNorm">,
  options: LayeredGraphOptions = {},
): Promise<{ readonly graph: LayeredGraph; readonly warnings: readonly ModelWarning[] }> {
  if (format === "matrix") {
    if (biasNodes || foldNorm) {
      throw new UsageError("USAGE_INVALID_OPTION", "a matrix has neither biases nor normalisation");
    }
    return { graph: graphFromMatrix(await readJson(context, file)), warnings: [] };
  }
  await checkInput(file);
  const opened = await openModel(file, context.limits);
  requireLayers(opened);
  const model = foldNorm ? foldNormalisation(opened) : opened;
  const graph = await layeredGraph(model, { ...options, signal: context.signal });
  if (!biasNodes) return { graph, warnings: model.warnings };
  const biased = await addBiasNodes(graph, model);
  const message = `no bias nodes, since the file does not tell which biases are theirs: ${biased.unknown.join(", ")}`;
  const unknown = biased.unknown.length > 0 ? [{ code: "BIAS_UNKNOWN", message }] : [];
  return { graph: biased.graph, warnings: [...model.warnings, ...unknown] };
}
