import { requireShape } from "../ir.ts";
import { maxPool2d } from "../ops/maxPool2d.ts";
import { outputSize } from "../ops/windows.ts";
import { pairOption, type Layer } from "./layer.ts";

/** Maximum over windows: [C, H, W] to [C, OH, OW]. Options: `size`, `stride` (the size), `padding` (0). */
export const maxPool2dLayer: Layer = {
  name: "maxPool2d",
  plan(inputShape, options) {
    const size = pairOption(options, "size", { least: 1 });
    const stride = pairOption({ stride: size, ...options }, "stride", { least: 1 });
    const padding = pairOption(options, "padding", { least: 0, fallback: 0 });
    requireShape(inputShape.length === 3, "maxPool2d takes samples [C, H, W]", inputShape);
    const [channels = 1, ...image] = inputShape;
    const window = { size, stride, padding };
    return {
      outputShape: [channels, ...outputSize("maxPool2d", image, window)],
      parameters: [],
      apply: (scope, x) => maxPool2d(scope, x, window),
    };
  },
};
