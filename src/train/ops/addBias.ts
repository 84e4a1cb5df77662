import { requireShape, type Operation, type Scope, type Tensor } from "../ir.ts";
import { elementCount } from "../../tensor/shape.ts";

/** x [P, B, C, …] plus b [P, C] along the channels. */
export const addBiasOperation: Operation = {
  name: "addBias",
  infer([x, bias]) {
    const [members, , channels] = x!.shape;
    const fits =
      bias!.shape.length === 2 && bias!.shape[0] === members && bias!.shape[1] === channels;
    requireShape(fits, "addBias takes [P, B, C, ...] and [P, C]", x!.shape, bias!.shape);
    return [{ shape: x!.shape, kind: "real" }];
  },
  gradient: ({ scope, upstream: [g], wanted }) => [
    wanted[0] ? g! : null,
    wanted[1] ? scope.apply(sumToBiasOperation, [g!])[0]! : null,
  ],
  evaluate({ inputs }, [x, bias], [out]) {
    eachChannel(inputs[0]!.shape, (first, end, channel) => {
      const shift = bias![channel]!;
      for (let at = first; at < end; at++) out![at] = x![at]! + shift;
    });
  },
};

/** g [P, B, C, …] to [P, C], summed over everything else. */
export const sumToBiasOperation: Operation = {
  name: "sumToBias",
  infer([g]) {
    requireShape(g!.shape.length >= 3, "sumToBias takes [P, B, C, ...]", g!.shape);
    return [{ shape: [g!.shape[0]!, g!.shape[2]!], kind: "real" }];
  },
  evaluate({ inputs }, [g], [out]) {
    out!.fill(0);
    eachChannel(inputs[0]!.shape, (first, end, channel) => {
      let sum = 0;
      for (let at = first; at < end; at++) sum += g![at]!;
      out![channel]! += sum;
    });
  },
};

export function addBias(scope: Scope, x: Tensor, bias: Tensor): Tensor {
  return scope.apply(addBiasOperation, [x, bias])[0]!;
}

/** Walks the spans of [P, B, C, …] that belong to one channel, numbered `member · C + channel`. */
function eachChannel(
  [members = 1, batch = 1, channels = 1, ...rest]: readonly number[],
  visit: (first: number, end: number, channel: number) => void,
): void {
  const span = elementCount(rest);
  let first = 0;
  for (let member = 0; member < members; member++) {
    for (let sample = 0; sample < batch; sample++) {
      for (let channel = 0; channel < channels; channel++, first += span) {
        visit(first, first + span, member * channels + channel);
      }
    }
  }
}
