import {
  numbers,
  requireShape,
  type Attributes,
  type Operation,
  type Scope,
  type Tensor,
} from "../ir.ts";
import type { Shape } from "../../tensor/shape.ts";
import { gradientOfShared } from "./sumMembers.ts";
import { outputSize } from "./windows.ts";

/**
 * Cross-correlation as in every framework: x [P or 1, B, C, H, W], w [P, O, C, KH, KW] to [P, B, O, OH, OW].
 * Attributes: `stride` [2], `padding` [2] (zeros on both sides). Cost: P B O C KH KW OH OW.
 */
export const conv2dOperation: Operation = {
  name: "conv2d",
  infer([x, weight], attributes) {
    const [given, batch, channels, height, width] = x!.shape as Five;
    const [members, outputs, taken, ...kernel] = weight!.shape as Five;
    const fits =
      x!.shape.length === 5 &&
      weight!.shape.length === 5 &&
      channels === taken &&
      (given === members || given === 1);
    requireShape(
      fits,
      "conv2d takes [P, B, C, H, W] and [P, O, C, KH, KW]",
      x!.shape,
      weight!.shape,
    );
    const size = outputSize("conv2d", [height, width], { ...windowOf(attributes), size: kernel });
    return [{ shape: [members, batch, outputs, ...size], kind: "real" }];
  },
  gradient({ scope, node, upstream: [g], wanted }) {
    const [x, weight] = node.inputs as [Tensor, Tensor];
    const { attributes } = node;
    const size = x.shape.slice(3);
    const kernel = weight.shape.slice(3);
    const toInput = (): Tensor =>
      scope.apply(conv2dInputOperation, [g!, weight], { ...attributes, size })[0]!;
    return [
      wanted[0] ? gradientOfShared(scope, toInput(), x.shape[0]!) : null,
      wanted[1] ? scope.apply(conv2dWeightOperation, [g!, x], { ...attributes, kernel })[0]! : null,
    ];
  },
  evaluate(node, [x, weight], [y]) {
    const from = x!;
    const to = y!;
    to.fill(0);
    const shapes = [node.inputs[0]!.shape, node.inputs[1]!.shape, node.outputs[0]!.shape] as const;
    eachTap(shapes, node.attributes, ({ tap, rows, count, x, y, step }) => {
      const factor = weight![tap]!;
      for (let row = 0; row < rows; row++) {
        const first = y.at + row * y.row;
        const given = x.at + row * x.row;
        for (let i = 0; i < count; i++) to[first + i]! += factor * from[given + i * step]!;
      }
    });
  },
};

/** Gradient for x: g [P, B, O, OH, OW], w to [P, B, C, H, W]; attribute `size` [H, W] besides those of conv2d. */
export const conv2dInputOperation: Operation = {
  name: "conv2dInput",
  infer([g, weight], attributes) {
    const fits = g!.shape[0] === weight!.shape[0] && g!.shape[2] === weight!.shape[1];
    requireShape(fits, "conv2dInput takes [P, B, O, ...] and [P, O, ...]", g!.shape, weight!.shape);
    const [members, batch] = g!.shape as Five;
    const size = numbers(attributes, "size", 2);
    return [{ shape: [members, batch, weight!.shape[2]!, ...size], kind: "real" }];
  },
  evaluate(node, [g, weight], [out]) {
    const from = g!;
    const to = out!;
    to.fill(0);
    const shapes = [node.outputs[0]!.shape, node.inputs[1]!.shape, node.inputs[0]!.shape] as const;
    eachTap(shapes, node.attributes, ({ tap, rows, count, x, y, step }) => {
      const factor = weight![tap]!;
      for (let row = 0; row < rows; row++) {
        const first = x.at + row * x.row;
        const given = y.at + row * y.row;
        for (let i = 0; i < count; i++) to[first + i * step]! += factor * from[given + i]!;
      }
    });
  },
};

/** Gradient for w: g [P, B, O, OH, OW], x to [P, O, C, KH, KW]; attribute `kernel` [KH, KW] besides those of conv2d. */
export const conv2dWeightOperation: Operation = {
  name: "conv2dWeight",
  infer([g, x], attributes) {
    const [members, batch, outputs] = g!.shape as Five;
    const fits = x!.shape[1] === batch && (x!.shape[0] === members || x!.shape[0] === 1);
    requireShape(fits, "conv2dWeight takes [P, B, O, ...] and [P, B, C, ...]", g!.shape, x!.shape);
    const kernel = numbers(attributes, "kernel", 2);
    return [{ shape: [members, outputs, x!.shape[2]!, ...kernel], kind: "real" }];
  },
  evaluate(node, [g, x], [out]) {
    const from = x!;
    const slope = g!;
    out!.fill(0);
    const shapes = [node.inputs[1]!.shape, node.outputs[0]!.shape, node.inputs[0]!.shape] as const;
    eachTap(shapes, node.attributes, ({ tap, rows, count, x, y, step }) => {
      let sum = 0;
      for (let row = 0; row < rows; row++) {
        const first = y.at + row * y.row;
        const given = x.at + row * x.row;
        for (let i = 0; i < count; i++) sum += slope[first + i]! * from[given + i * step]!;
      }
      out![tap]! += sum;
    });
  },
};

export function conv2d(
  scope: Scope,
  x: Tensor,
  weight: Tensor,
  window: { readonly stride: Shape; readonly padding: Shape },
): Tensor {
  const { stride, padding } = window;
  return scope.apply(conv2dOperation, [x, weight], { stride, padding })[0]!;
}

type Two = readonly [number, number];
type Five = readonly [number, number, number, number, number];

function windowOf(attributes: Attributes): { stride: Shape; padding: Shape } {
  return { stride: numbers(attributes, "stride", 2), padding: numbers(attributes, "padding", 2) };
}

/** Where one tap of one kernel meets an image: `rows` x `count` outputs. */
interface Meeting {
  /** Place of the weight. */
  tap: number;
  rows: number;
  count: number;
  /** Place of the first input, and from one row to the next; inputs of one row lie `step` apart. */
  readonly x: { at: number; row: number };
  step: number;
  /** Place of the first output, and from one row to the next; outputs of one row lie side by side. */
  readonly y: { at: number; row: number };
}

/** Walks every tap of every kernel over every image, as far as it lies inside; `visit` is shown the same object each time. */
function eachTap(
  [xShape, weightShape, yShape]: readonly [Shape, Shape, Shape],
  attributes: Attributes,
  visit: (meeting: Meeting) => void,
): void {
  const [given, , channels, height, width] = xShape as Five;
  const [, , , kernelHeight, kernelWidth] = weightShape as Five;
  const [members, batch, outputs, outHeight, outWidth] = yShape as Five;
  const [strideY, strideX] = numbers(attributes, "stride") as Two;
  const [padY, padX] = numbers(attributes, "padding") as Two;
  const x = { at: 0, row: strideY * width };
  const y = { at: 0, row: outWidth };
  const meeting: Meeting = { tap: 0, rows: 0, count: 0, x, step: strideX, y };
  for (let image = 0; image < members * batch; image++) {
    const member = Math.floor(image / batch);
    const xImage = (given === 1 ? image % batch : image) * channels;
    for (let pair = 0; pair < outputs * channels; pair++) {
      const yPlane = (image * outputs + Math.floor(pair / channels)) * outHeight * outWidth;
      const xPlane = (xImage + (pair % channels)) * height * width;
      meeting.tap = (member * outputs * channels + pair) * kernelHeight * kernelWidth;
      for (let ky = 0; ky < kernelHeight; ky++) {
        const top = firstInside(ky, padY, strideY);
        meeting.rows = lastInside(ky, padY, strideY, [height, outHeight]) - top + 1;
        for (let kx = 0; kx < kernelWidth; kx++, meeting.tap++) {
          const left = firstInside(kx, padX, strideX);
          meeting.count = lastInside(kx, padX, strideX, [width, outWidth]) - left + 1;
          x.at = xPlane + (top * strideY - padY + ky) * width + left * strideX - padX + kx;
          y.at = yPlane + top * outWidth + left;
          visit(meeting);
        }
      }
    }
  }
}

/** The first output whose window has its tap number `tap` inside the image. */
function firstInside(tap: number, padding: number, stride: number): number {
  return Math.max(0, Math.ceil((padding - tap) / stride));
}

/** The last such output, along an axis of `extents` (of the image, of the output). */
function lastInside(
  tap: number,
  padding: number,
  stride: number,
  extents: readonly [number, number],
): number {
  return Math.min(extents[1] - 1, Math.floor((extents[0] - 1 + padding - tap) / stride));
}
