import { numbers, requireShape, type Operation, type Scope, type Tensor } from "../ir.ts";
import { outputSize, type Window } from "./windows.ts";

/**
 * The maximum in each window: x [P, B, C, H, W] to y [P, B, C, OH, OW] and the place of each maximum in its plane (h W + w; of
 * equal ones the first in row order). Attributes: `size`, `stride`, `padding`, [2] each; the padding never wins, NaN always.
 */
export const maxPool2dOperation: Operation = {
  name: "maxPool2d",
  infer([x], attributes) {
    const window = {
      size: numbers(attributes, "size", 2),
      stride: numbers(attributes, "stride", 2),
      padding: numbers(attributes, "padding", 2),
    };
    requireShape(x!.shape.length === 5, "maxPool2d takes [P, B, C, H, W]", x!.shape);
    const narrow = window.padding.every((margin, axis) => 2 * margin <= window.size[axis]!);
    requireShape(narrow, "maxPool2d pads by half a window at most", window.size, window.padding);
    const size = outputSize("maxPool2d", x!.shape.slice(3), window);
    const shape = [...x!.shape.slice(0, 3), ...size];
    return [
      { shape, kind: "real" },
      { shape, kind: "index" },
    ];
  },
  gradient({ scope, node, upstream: [g] }) {
    const size = node.inputs[0]!.shape.slice(3);
    return scope.apply(maxPool2dInputOperation, [g!, node.outputs[1]!], { size });
  },
  evaluate({ inputs, outputs, attributes }, [x], [y, at]) {
    const [members, batch, channels, height, width] = inputs[0]!.shape as Five;
    const [, , , outHeight, outWidth] = outputs[0]!.shape as Five;
    const [sizeY, sizeX] = numbers(attributes, "size") as Two;
    const [strideY, strideX] = numbers(attributes, "stride") as Two;
    const [padY, padX] = numbers(attributes, "padding") as Two;
    let out = 0;
    for (let plane = 0; plane < members * batch * channels; plane++) {
      const first = plane * height * width;
      for (let row = 0; row < outHeight; row++) {
        const top = Math.max(0, row * strideY - padY);
        const bottom = Math.min(height, row * strideY - padY + sizeY);
        for (let column = 0; column < outWidth; column++, out++) {
          const left = Math.max(0, column * strideX - padX);
          const right = Math.min(width, column * strideX - padX + sizeX);
          let best = top * width + left;
          for (let h = top; h < bottom; h++) {
            for (let w = left; w < right; w++) {
              const value = x![first + h * width + w]!;
              if (value > x![first + best]! || Number.isNaN(value)) best = h * width + w;
            }
          }
          y![out] = x![first + best]!;
          at![out] = best;
        }
      }
    }
  },
};

/** Gradient for x: g goes to the place of each maximum, [P, B, C, H, W]. Attribute: `size` [H, W]. */
export const maxPool2dInputOperation: Operation = {
  name: "maxPool2dInput",
  infer: ([g], attributes) => [
    { shape: [...g!.shape.slice(0, 3), ...numbers(attributes, "size", 2)], kind: "real" },
  ],
  evaluate({ inputs, attributes }, [g, at], [out]) {
    const [, , , outHeight, outWidth] = inputs[0]!.shape as Five;
    const [height, width] = numbers(attributes, "size") as Two;
    const places = outHeight * outWidth;
    out!.fill(0);
    for (let i = 0; i < g!.length; i++) {
      out![Math.floor(i / places) * height * width + at![i]!]! += g![i]!;
    }
  },
};

export function maxPool2d(scope: Scope, x: Tensor, { size, stride, padding }: Window): Tensor {
  return scope.apply(maxPool2dOperation, [x], { size, stride, padding })[0]!;
}

type Two = readonly [number, number];
type Five = readonly [number, number, number, number, number];
