/** The convolution that a node stands for, and the one that a dense layer is. */
import type { Convolution, ConvolutionAxis } from "../../../kernels/taps.ts";
import { numbers, type Node, type Tensor } from "../../ir.ts";

const pixel: ConvolutionAxis = { size: 1, kernel: 1, stride: 1, padding: 0, outputs: 1 };

/** A dense layer as a convolution over an image of one pixel, with a channel per input; weights [P, O, I]. */
export function denseGeometry({ shape: [, filters = 1, channels = 1] }: Tensor): Convolution {
  return { channels, filters, y: pixel, x: pixel };
}

export function isDense({ x, y }: Convolution): boolean {
  return x === pixel && y === pixel;
}

/** Stride and padding of a node; the rest from the shapes of image [P, B, C, H, W], weights [P, O, C, …] and output [P, B, O, OH, OW]. */
export function convolutionGeometry(
  { attributes }: Node,
  [, , channels = 1, ...image]: readonly number[],
  [, , , ...kernel]: readonly number[],
  [, , filters = 1, ...outputs]: readonly number[],
): Convolution {
  const stride = numbers(attributes, "stride", 2);
  const padding = numbers(attributes, "padding", 2);
  const axis = (i: 0 | 1): ConvolutionAxis => ({
    size: image[i]!,
    kernel: kernel[i]!,
    stride: stride[i]!,
    padding: padding[i]!,
    outputs: outputs[i]!,
  });
  return { channels, filters, y: axis(0), x: axis(1) };
}
