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
    y!.fill(0);
    const [, step] = numbers(node.attributes, "stride") as Two;
    const shapes = [node.inputs[0]!.shape, node.inputs[1]!.shape, node.outputs[0]!.shape] as const;
    eachRow(shapes, node.attributes, (xAt, tap, yAt, count) => {
      const factor = weight![tap]!;
      for (let i = 0; i < count; i++) y![yAt + i]! += factor * x![xAt + i * step]!;
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
    out!.fill(0);
    const [, step] = numbers(node.attributes, "stride") as Two;
    const shapes = [node.outputs[0]!.shape, node.inputs[1]!.shape, node.inputs[0]!.shape] as const;
    eachRow(shapes, node.attributes, (xAt, tap, yAt, count) => {
      const factor = weight![tap]!;
      for (let i = 0; i < count; i++) out![xAt + i * step]! += factor * g![yAt + i]!;
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
    out!.fill(0);
    const [, step] = numbers(node.attributes, "stride") as Two;
    const shapes = [node.inputs[1]!.shape, node.outputs[0]!.shape, node.inputs[0]!.shape] as const;
    eachRow(shapes, node.attributes, (xAt, tap, yAt, count) => {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += g![yAt + i]! * x![xAt + i * step]!;
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

/**
 * Walks every output row under every tap of every kernel, as far as the tap lies inside the image: `count` outputs from `y` on
 * meet the inputs `x`, `x + stride`, … by weight `tap`.
 */
function eachRow(
  [xShape, weightShape, yShape]: readonly [Shape, Shape, Shape],
  attributes: Attributes,
  visit: (x: number, tap: number, y: number, count: number) => void,
): void {
  const [given, , channels, height, width] = xShape as Five;
  const [, , , kernelHeight, kernelWidth] = weightShape as Five;
  const [members, batch, outputs, outHeight, outWidth] = yShape as Five;
  const [strideY, strideX] = numbers(attributes, "stride") as Two;
  const [padY, padX] = numbers(attributes, "padding") as Two;
  for (let image = 0; image < members * batch; image++) {
    const member = Math.floor(image / batch);
    const xImage = (given === 1 ? image % batch : image) * channels;
    for (let pair = 0; pair < outputs * channels; pair++) {
      const yPlane = (image * outputs + Math.floor(pair / channels)) * outHeight * outWidth;
      const xPlane = (xImage + (pair % channels)) * height * width;
      let tap = (member * outputs * channels + pair) * kernelHeight * kernelWidth;
      for (let ky = 0; ky < kernelHeight; ky++) {
        for (let kx = 0; kx < kernelWidth; kx++, tap++) {
          const first = Math.max(0, Math.ceil((padX - kx) / strideX));
          const last = Math.min(outWidth - 1, Math.floor((width - 1 + padX - kx) / strideX));
          if (last < first) continue;
          for (let row = 0; row < outHeight; row++) {
            const y = row * strideY - padY + ky;
            if (y < 0 || y >= height) continue;
            const x = xPlane + y * width + first * strideX - padX + kx;
            visit(x, tap, yPlane + row * outWidth + first, last - first + 1);
          }
        }
      }
    }
  }
}
