import {
  addBiasNodes,
  addNormalisationNodes,
  foldNormalisation,
  graphFromMatrix,
  layeredGraph,
  openModel,
  splitHeads,
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
  flags: Pick<GraphInputFlags, "format" | "biasNodes" | "foldNorm" | "normNodes" | "heads">,
  options: LayeredGraphOptions = {},
): Promise<{ readonly graph: LayeredGraph; readonly warnings: readonly ModelWarning[] }> {
  const { format, biasNodes, foldNorm, normNodes, heads } = flags;
  if (foldNorm && normNodes) {
    throw new UsageError(
      "USAGE_INVALID_OPTION",
      "--fold-norm and --norm-nodes exclude each other",
      {
        hint: "Folded, a normalisation is in the weights before it; as nodes, it stands behind them.",
      },
    );
  }
  if (format === "matrix") {
    if (biasNodes || foldNorm || normNodes || heads) {
      const message = "a matrix has neither biases nor normalisation nor heads";
      throw new UsageError("USAGE_INVALID_OPTION", message);
    }
    return { graph: graphFromMatrix(await readJson(context, file)), warnings: [] };
  }
  await checkInput(file);
  const opened = await openModel(file, context.limits);
  requireLayers(opened);
  const model = foldNorm ? foldNormalisation(opened) : opened;
  const plain = await layeredGraph(model, { ...options, signal: context.signal });
  const own = normNodes ? await addNormalisationNodes(plain, model) : null;
  const normalised = own?.graph ?? plain;
  const warnings = [...model.warnings, ...(own?.warnings ?? [])];
  const split = (graph: LayeredGraph): LayeredGraph =>
    heads ? splitHeads(graph, model.topology, options) : graph;
  if (!biasNodes) return { graph: split(normalised), warnings };
  const biased = await addBiasNodes(normalised, model);
  const message = `no bias nodes, since the file does not tell which biases are theirs: ${biased.unknown.join(", ")}`;
  const unknown = biased.unknown.length > 0 ? [{ code: "BIAS_UNKNOWN", message }] : [];
  return { graph: split(biased.graph), warnings: [...warnings, ...unknown] };
}
