import { flatten } from "../ops/reshape.ts";
import { elementCount } from "../../tensor/shape.ts";
import type { Layer } from "./layer.ts";

/** [C, H, W] to [C H W], channels outermost. No options. */
export const flattenLayer: Layer = {
  name: "flatten",
  plan: (inputShape) => ({
    outputShape: [elementCount(inputShape)],
    parameters: [],
    apply: flatten,
  }),
};
