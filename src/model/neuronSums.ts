/** Signed sums of weights by neuron, taken from a tensor as it is stored, a span at a time: no layout is turned, nothing is held. */
import type { FloatArray } from "../tensor/dtype.ts";
import type { WeightLayout } from "../tensor/layout.ts";

export interface NeuronSums {
  /** Into each receiving neuron. */
  readonly into: Float64Array;
  /** Out of each sending neuron. */
  readonly outOf: Float64Array;
  /** Elements [start, start + values.length) of the tensor in stored order. Cost: one pass. */
  add(values: FloatArray, start: number): void;
}

export function neuronSums(layout: WeightLayout): NeuronSums {
  const { groups, outPerGroup, inPerGroup } = layout;
  const into = new Float64Array(groups * outPerGroup);
  const outOf = new Float64Array(groups * inPerGroup);
  const axes = steppedAxes(layout);
  const inner = axes.at(-1)!;
  return {
    into,
    outOf,
    add(values, start) {
      const place = placeOf(axes, start);
      for (let at = 0; at < values.length;) {
        const index = place.index.at(-1)!;
        const count = Math.min(inner.size - index, values.length - at);
        let { receiver, sender } = place;
        for (let i = 0; i < count; i++) {
          const value = values[at + i]!;
          into[receiver]! += value;
          outOf[sender]! += value;
          receiver += inner.receiverStep;
          sender += inner.senderStep;
        }
        at += count;
        advance(axes, place, count);
      }
    },
  };
}

/** One axis of the stored tensor, and how far one step along it moves the receiving and the sending neuron. */
interface SteppedAxis {
  readonly size: number;
  readonly receiverStep: number;
  readonly senderStep: number;
}

/** Axes that together move like one are one: the taps of a kernel, the parts of a split axis. */
function steppedAxes({ split, roles, outPerGroup, inPerGroup }: WeightLayout): SteppedAxis[] {
  const inner = { group: 1, out: 1, in: 1, tap: 1 };
  const axes: SteppedAxis[] = [];
  for (let axis = split.length - 1; axis >= 0; axis--) {
    const [size, role] = [split[axis]!, roles[axis]!];
    const step = inner[role];
    inner[role] *= size;
    const receiverStep = role === "group" ? step * outPerGroup : role === "out" ? step : 0;
    const senderStep = role === "group" ? step * inPerGroup : role === "in" ? step : 0;
    const next = axes[0];
    const isOne =
      next !== undefined &&
      receiverStep === next.receiverStep * next.size &&
      senderStep === next.senderStep * next.size;
    if (isOne) axes[0] = { ...next, size: next.size * size };
    else axes.unshift({ size, receiverStep, senderStep });
  }
  return axes.length > 0 ? axes : [{ size: 1, receiverStep: 0, senderStep: 0 }];
}

interface Place {
  readonly index: number[];
  receiver: number;
  sender: number;
}

function placeOf(axes: readonly SteppedAxis[], element: number): Place {
  const place: Place = { index: new Array<number>(axes.length).fill(0), receiver: 0, sender: 0 };
  let rest = element;
  for (let axis = axes.length - 1; axis >= 0; axis--) {
    const { size, receiverStep, senderStep } = axes[axis]!;
    const at = rest % size;
    rest = Math.floor(rest / size);
    place.index[axis] = at;
    place.receiver += at * receiverStep;
    place.sender += at * senderStep;
  }
  return place;
}

/** Moves on by `count` elements, at most to the end of the innermost axis. */
function advance(axes: readonly SteppedAxis[], place: Place, count: number): void {
  let move = count;
  for (let axis = axes.length - 1; axis >= 0; axis--) {
    const { size, receiverStep, senderStep } = axes[axis]!;
    place.index[axis]! += move;
    place.receiver += move * receiverStep;
    place.sender += move * senderStep;
    if (place.index[axis]! < size) return;
    place.index[axis] = 0;
    place.receiver -= size * receiverStep;
    place.sender -= size * senderStep;
    move = 1;
  }
}
