/** DepthToSpace and SpaceToDepth: channels become positions, and back. */
import {
  axisSize,
  freshAxis,
  shapeless,
  withAxes,
  type Activation,
  type Axis,
} from "../activation.ts";
import { activationAt, type Call } from "../operator.ts";
import { regroup } from "../regroup.ts";

/** [N, C, H, W] to [N, C / b², H b, W b]; mode DCR has the block's rows and columns before the channel, CRD behind. */
export function depthToSpace(call: Call): readonly Activation[] {
  const activation = activationAt(call, 0);
  const { axes } = activation;
  const block = call.node.int("blocksize", 1);
  if (axes?.length !== 4) return [shapeless(activation)];
  const [n, c, h, w] = axes as [Axis, Axis, Axis, Axis];
  const channels = axisSize(c);
  const depth = channels === null ? NaN : channels / block ** 2;
  const isColumnFirst = call.node.text("mode", "DCR") === "CRD";
  const wanted = isColumnFirst ? [depth, block, block] : [block, block, depth];
  const parts = Number.isSafeInteger(depth) && depth > 0 ? regroup([c], wanted) : null;
  if (parts === null)
    return [withAxes(activation, [n, freshAxis(null), freshAxis(null), freshAxis(null)])];
  const [first, second, third] = parts.target as [Axis, Axis, Axis];
  const own = { ...activation, axes: [n, parts.atoms, h, w] };
  const target = isColumnFirst
    ? [n, first, [...h, ...second], [...w, ...third]]
    : [n, third, [...h, ...first], [...w, ...second]];
  return [withAxes(own, target)];
}

/** [N, C, H, W] to [N, b² C, H / b, W / b]: each channel stands in b² of them. */
export function spaceToDepth(call: Call): readonly Activation[] {
  const activation = activationAt(call, 0);
  const { axes } = activation;
  const block = call.node.int("blocksize", 1);
  if (axes?.length !== 4) return [shapeless(activation)];
  const [n, c, h, w] = axes as [Axis, Axis, Axis, Axis];
  const rows = blocksOf(h, block);
  const columns = blocksOf(w, block);
  const own = { ...activation, axes: [n, c, rows.flat(), columns.flat()] };
  return [withAxes(own, [n, [...rows[1]!, ...columns[1]!, ...c], rows[0]!, columns[0]!])];
}

/** An axis of positions as [blocks, within the block]. */
function blocksOf(axis: Axis, block: number): readonly Axis[] {
  const size = axisSize(axis);
  const parts = size === null ? null : regroup([axis], [size / block, block]);
  return parts?.target ?? [freshAxis(null), freshAxis(block)];
}
