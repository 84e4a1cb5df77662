/** Parts of images: regions of interest, patches, crops. Channels stay, positions are others. */
import {
  axisSize,
  carriesNeurons,
  freshAxis,
  plainActivation,
  shapeless,
  uncarried,
  withAxes,
  type Activation,
  type Axis,
} from "../activation.ts";
import {
  activationAt,
  claimInputs,
  knownIntegersAt,
  type Call,
  type Operator,
} from "../operator.ts";
import { regroup } from "../regroup.ts";
import { wrapAxis } from "../reshape.ts";
import { slidingLength } from "./conv.ts";

/** RoiAlign, MaxRoiPool, com.microsoft CropAndResize: [regions, C, height, width]. */
export function regions(call: Call): readonly Activation[] {
  const activation = activationAt(call, 0);
  const { axes } = activation;
  if (axes === null) return [shapeless(activation)];
  const [height, width] = call.node.ints("pooled_shape") ?? [
    call.node.int("output_height", 0),
    call.node.int("output_width", 0),
  ];
  const sizes = [null, null, height, width].map((size) => (size ? size : null));
  return [
    withAxes(
      activation,
      axes.map((axis, i) => (i === 1 ? axis : freshAxis(sizes[i] ?? null))),
    ),
  ];
}

/** CenterCropPad: other lengths of the axes that it names; a channel axis that is cut keeps no neurons. */
export const cropOrPad: Operator = async (call) => {
  claimInputs(call, 1, "constant");
  const activation = activationAt(call, 0);
  const { axes } = activation;
  if (axes === null) return [shapeless(activation)];
  const lengths = await knownIntegersAt(call, 1);
  const named = call.node.ints("axes") ?? axes.map((_, i) => i);
  let cropped = axes;
  named.forEach((own, i) => {
    const axis = wrapAxis(own, axes.length);
    const size = lengths?.[i] ?? null;
    const before = axes[axis];
    if (before !== undefined && (size === null || axisSize(before) !== size)) {
      cropped = cropped.with(axis, freshAxis(size));
    }
  });
  return [withAxes(activation, cropped)];
};

/** Col2Im: [N, C x block, L] to [N, C, …image]: the columns of a block become positions of its channel. */
export const columnsToImage: Operator = async (call) => {
  const image = await knownIntegersAt(call, 1);
  const block = await knownIntegersAt(call, 2);
  claimInputs(call, 1, "constant");
  const activation = activationAt(call, 0);
  const { axes } = activation;
  if (axes?.length !== 3 || image === null || block === null || image.length === 0) {
    return [shapeless(activation)];
  }
  const size = block.reduce((a, b) => a * b, 1);
  const parts = regroup([axes[1]!], [null, size]);
  if (parts === null) return [plainActivation([null, null, ...image])];
  const [channels, within] = parts.target as [Axis, Axis];
  const [first, ...others] = image;
  const positions = carriesNeurons(within) ? within : freshAxis(first!);
  const apart = { ...activation, axes: [axes[0]!, parts.atoms, axes[2]!] };
  return [withAxes(apart, [axes[0]!, channels, positions, ...others.map(freshAxis)])];
};

/** com.microsoft NhwcMaxPool: channels last. */
export function lastPool(call: Call): readonly Activation[] {
  const activation = activationAt(call, 0);
  const { axes } = activation;
  if (axes === null) return [shapeless(activation)];
  const kernel = call.node.ints("kernel_shape");
  return [
    withAxes(
      activation,
      axes.map((axis, i) => {
        if (i === 0 || i === axes.length - 1) return axis;
        const size = kernel?.[i - 1] ?? 1;
        return freshAxis(slidingLength(call.node, i - 1, { length: axisSize(axis), kernel: size }));
      }),
    ),
  ];
}

/** Det and com.microsoft's like: the last two axes are gone. */
export function determinant(call: Call): readonly Activation[] {
  const { axes } = activationAt(call, 0);
  return [{ ...plainActivation(null), axes: axes && axes.slice(0, -2).map(uncarried) }];
}
