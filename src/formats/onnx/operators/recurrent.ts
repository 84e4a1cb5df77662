/** LSTM, GRU and RNN: W and R hold every gate of every direction; each direction is a weight layer of its own. */
import { weightLayout } from "../../../tensor/layout.ts";
import { freshAxis, unknownActivation, type Activation, type Axis } from "../activation.ts";
import { spanOf, type Constant } from "../constant.ts";
import { activationAt, claimInputs, constantAt, isWeighty, type Call } from "../operator.ts";
import { wiringOf } from "../positions.ts";

/**
 * W [directions, gates x hidden, in], R [directions, gates x hidden, hidden]. Between two neurons the gates are taps.
 * Outputs: Y [time, directions, batch, hidden], Y_h and Y_c [directions, batch, hidden]; batch first where `layout` is 1.
 */
export function recurrent(call: Call): readonly Activation[] {
  // B; then the lengths and the state at the start, which are no parameters; last an LSTM's peepholes.
  claimInputs(call, 3, "bias", 4);
  claimInputs(call, 4, "constant", 7);
  claimInputs(call, 7, "bias");
  const { collect, node } = call;
  const w = constantAt(call, 1);
  const r = constantAt(call, 2);
  const isWhole = isWeighty(w) && isWeighty(r) && w.shape.length === 3 && r.shape.length === 3;
  if (!isWhole) return [unknownActivation];
  const [directions, rows, size] = w.shape as [number, number, number];
  const hidden = r.shape[2]!;
  const gates = rows / hidden;
  const fits = r.shape[0] === directions && r.shape[1] === rows;
  if (!fits || !Number.isInteger(gates)) return [unknownActivation];
  const x = activationAt(call, 0);
  const ids = new Int32Array(directions * hidden);
  for (let direction = 0; direction < directions; direction++) {
    const layout = weightLayout([rows, size], ["out", "in"]);
    const op = node.opType;
    const constant = directionOf(w, direction);
    const { index, name } = collect.add({
      name: w.name,
      constant,
      op,
      kind: "recurrent_W",
      layout,
    });
    const features = collect.senders(x, 2, size, name);
    const to = collect.receivers(name, hidden);
    ids.set(to, direction * hidden);
    const wiring = wiringOf(features, [gates, hidden, size], ["tap", "out", "in"]);
    collect.connect({ index, to, ...wiring });
    const past = collect.add({
      name: r.name,
      constant: directionOf(r, direction),
      op,
      kind: "recurrent_R",
      layout: weightLayout([rows, hidden], ["out", "in"]),
    });
    collect.connect({
      index: past.index,
      from: to,
      to,
      layout: weightLayout([gates, hidden, hidden], ["tap", "out", "in"]),
      recurrent: true,
    });
  }
  return outputs(ids, { x, directions, hidden, isBatchFirst: node.int("layout", 0) === 1 });
}

function outputs(
  ids: Int32Array,
  place: { x: Activation; directions: number; hidden: number; isBatchFirst: boolean },
): Activation[] {
  const { x, directions, hidden, isBatchFirst } = place;
  const direction: Axis = directions === 1 ? [] : [{ size: directions, carries: true }];
  const unit: Axis = [{ size: hidden, carries: true }];
  const first = x.axes?.[0] ?? freshAxis(null);
  const second = x.axes?.[1] ?? freshAxis(null);
  const all = (axes: readonly Axis[]): Activation => ({
    kind: "activation",
    axes,
    ids,
    open: null,
  });
  const batch = isBatchFirst ? first : second;
  const last = all(isBatchFirst ? [batch, direction, unit] : [direction, batch, unit]);
  const every = isBatchFirst ? [first, second, direction, unit] : [first, direction, second, unit];
  return [all(every), last, last];
}

/** One direction's matrix, called `W[0]` where there are several; it lies in one piece, so it keeps its place in the file. */
function directionOf(constant: Constant, direction: number): Constant {
  const [directions, rows, columns] = constant.shape as [number, number, number];
  const count = rows * columns;
  if (directions === 1) return { ...constant, shape: [rows, columns] };
  const { location: whole, name, encode, readSpan: _, ...rest } = constant;
  // Plain elements alone can be told apart by their bytes.
  const location = encode === undefined ? whole : undefined;
  const byteLength = location && location.byteLength / directions;
  const offset = location && location.offset + direction * byteLength!;
  return {
    ...rest,
    name: `${name}[${direction}]`,
    shape: [rows, columns],
    ...(location && { location: { ...location, offset: offset!, byteLength: byteLength! } }),
    read: () => spanOf(constant, direction * count, (direction + 1) * count),
    ...(constant.readSpan && {
      readSpan: (start: number, end: number) =>
        spanOf(constant, direction * count + start, direction * count + end),
    }),
  };
}
