import type { Model } from "../model/model.ts";
import { createRandom } from "../random.ts";
import {
  rewirePreferentially,
  type RewireOptions,
  type RewireReport,
} from "./rewirePreferentially.ts";
import { rewriteModel, type LayerSelection, type RewrittenModel } from "./rewriteModel.ts";

export interface RewireModelOptions
  extends LayerSelection, Pick<RewireOptions, "method" | "passes" | "shift" | "visit" | "seed"> {}

/**
 * PA rewiring of a model's dense and convolutional layers: weights change places within their layer, biases stay.
 * A convolution is the matrix [out, in * kernel area], each (input channel, tap) being a sending neuron; in a grouped one `in` is
 * the share of a group. That is how the authors' code reads tensors. Recurrent and embedding weights are left alone unless named.
 * Each layer has a random stream of its own, named after it, so that choosing fewer layers changes nothing in the others.
 * Errors and cost: those of `rewirePreferentially` and `rewriteModel`.
 */
export async function rewireModel(
  model: Model,
  options: RewireModelOptions = {},
): Promise<RewrittenModel<RewireReport>> {
  const { seed = 0 } = options;
  const random = typeof seed === "number" ? createRandom(seed) : seed;
  return rewriteModel(model, options, (matrix, layer) => {
    const { weights, ...report } = rewirePreferentially(matrix, {
      ...options,
      seed: random.fork(layer.name),
    });
    return { weights, report };
  });
}
