import type { Model } from "../model/model.ts";
import { createRandom, type Random } from "../random.ts";
import type { FloatArray } from "../tensor/dtype.ts";
import { checkChoice } from "./checkChoice.ts";
import {
  initFromHypercore,
  initFromStrength,
  type HypercoreInitOptions,
  type Reinitialised,
} from "./initFromHypercore.ts";
import { rewriteModel, type LayerSelection, type RewrittenModel } from "./rewriteModel.ts";
import type { WeightMatrix } from "./weightMatrix.ts";

export interface ReinitModelOptions
  extends LayerSelection, Omit<HypercoreInitOptions, "taps" | "shuffled"> {
  /** What ranks the neurons; `strength` and `shuffled` are the controls. @defaultValue "hypercore" */
  readonly from?: "hypercore" | "strength" | "shuffled";
  /**
   * `flatten`: every (input channel, tap) is a sending neuron, which loses nothing. `channel`: every input channel is one, its
   * positive and its negative taps summed. The same for a kernel of one tap. @defaultValue "flatten"
   */
  readonly convolution?: "flatten" | "channel";
}

/** One entry per group; an ordinary layer is one group. */
export interface ReinitReport {
  readonly groups: readonly Pick<
    Reinitialised<FloatArray>,
    "scores" | "means" | "sigma" | "guardFactor"
  >[];
}

/**
 * Hypercore re-initialisation of a model's dense and convolutional layers; biases and all else stay.
 * Each group of a grouped convolution is a bipartite graph of its own. Each layer has a random stream named after it.
 * Errors and cost: those of `initFromHypercore` and `rewriteModel`.
 */
export async function reinitModel(
  model: Model,
  options: ReinitModelOptions = {},
): Promise<RewrittenModel<ReinitReport>> {
  const { from = "hypercore", convolution = "flatten", seed = 0 } = options;
  checkChoice("from", from, ["hypercore", "strength", "shuffled"]);
  checkChoice("convolution", convolution, ["flatten", "channel"]);
  const random = typeof seed === "number" ? createRandom(seed) : seed;
  return rewriteModel(model, options, (matrix, layer) => {
    const { groups, taps } = layer.layout;
    const own = random.fork(layer.name);
    const initialise = (part: WeightMatrix, seed: Random): Reinitialised<FloatArray> => {
      const settings = {
        ...options,
        seed,
        taps: convolution === "channel" ? taps : 1,
        shuffled: from === "shuffled",
      };
      return from === "strength"
        ? initFromStrength(part, settings)
        : initFromHypercore(part, settings);
    };
    const weights = matrix.weights.slice();
    const size = weights.length / groups;
    const reports = Array.from({ length: groups }, (_, group) => {
      const part = {
        weights: matrix.weights.subarray(group * size, (group + 1) * size),
        rows: matrix.rows / groups,
        columns: matrix.columns,
      };
      const { weights: drawn, ...report } = initialise(part, own.fork(`${group}`));
      weights.set(drawn, group * size);
      return report;
    });
    return { weights, report: { groups: reports } };
  });
}
