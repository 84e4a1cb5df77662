import { requireShape } from "../ir.ts";
import { addBias } from "../ops/addBias.ts";
import { conv2d } from "../ops/conv2d.ts";
import { outputSize } from "../ops/windows.ts";
import { pairOption, wholeOption, type Layer } from "./layer.ts";

/**
 * Convolution: [C, H, W] to [channels, OH, OW]. Options: `channels`, `kernel`, `stride` (1), `padding` (0), each but the first
 * one number or [vertical, horizontal]. Parameters: weight [channels, C, KH, KW], bias [channels].
 */
export const conv2dLayer: Layer = {
  name: "conv2d",
  plan(inputShape, options) {
    const channels = wholeOption(options, "channels", { least: 1 });
    const kernel = pairOption(options, "kernel", { least: 1 });
    const stride = pairOption(options, "stride", { least: 1, fallback: 1 });
    const padding = pairOption(options, "padding", { least: 0, fallback: 0 });
    requireShape(inputShape.length === 3, "conv2d takes samples [C, H, W]", inputShape);
    const [given = 1, ...image] = inputShape;
    const area = kernel[0] * kernel[1];
    const fans = { fanIn: given * area, fanOut: channels * area };
    const size = outputSize("conv2d", image, { size: kernel, stride, padding });
    return {
      outputShape: [channels, ...size],
      parameters: [
        { name: "weight", role: "weight", shape: [channels, given, ...kernel], ...fans },
        { name: "bias", role: "bias", shape: [channels], ...fans },
      ],
      apply: (scope, x, [weight, bias]) =>
        addBias(scope, conv2d(scope, x, weight!, { stride, padding }), bias!),
    };
  },
};
