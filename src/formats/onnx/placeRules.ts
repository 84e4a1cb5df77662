/** Which operators keep positions, and how: a rule for each. */
import { integersAt, knownIntegersAt } from "./operator.ts";
import { gating, normalising, passing } from "./operators/passing.ts";
import { lostAt, type Place, type Rule, type Steps } from "./place.ts";
import { windowOf } from "./windowOf.ts";

/** Moves elements, for all that their neurons stay the same. */
const moving = new Set(
  "Crop RemovePadding RestorePadding ReverseSequence RotaryEmbedding MRotaryEmbedding CumSum CumProd Trilu".split(
    " ",
  ),
);

const pass: Rule = ({ places, call }) => places[0] ?? lostAt(call.node);

const sum: Rule = ({ call, places }, trace) => {
  const known = places.filter((place) => place !== undefined);
  const [first] = known;
  if (known.length === 1 || known.every((place) => place === first)) return first!;
  const lost = known.find((place) => place.kind === "lost");
  if (lost !== undefined) return lost;
  const maps = known.map((place) => (place.kind === "features" ? place : trace.mapAt(place)));
  if (maps.includes(null)) return lostAt(call.node, "of inputs that nothing has read");
  const alike = maps.every((own) => sameAxes(own!, maps[0]!));
  if (!alike) return lostAt(call.node, "of values with other axes");
  return { ...maps[0]!, step: trace.push({ op: "sum", of: maps.map((own) => own!.step) }) };
};

function sameAxes(a: Place, b: Place): boolean {
  return a.kind === "map" && b.kind === "map"
    ? a.isLast === b.isLast && a.rank === b.rank
    : a.kind === b.kind;
}

/** One factor is the signal, others scale it. */
const product: Rule = ({ call, places }) => {
  const known = places.flatMap((place, i) =>
    place === undefined ? [] : [{ place, value: call.inputs[i] }],
  );
  const signals = known.filter(
    ({ value }) => !(value?.kind === "activation" && value.isGate === true),
  );
  const among = signals.length > 0 ? signals : known;
  const [first] = among as [(typeof among)[number]];
  const isOne = among.every(({ place }) => place === first.place);
  return isOne ? first.place : lostAt(call.node, "of two signals is not followed to positions");
};

const convolve: Rule = ({ call, places, added }, trace) => {
  const map = trace.mapAt(places[0]);
  const [layer] = added;
  const { node } = call;
  if (places[0]?.kind === "lost") return places[0];
  if (map === null || map.isLast || layer === undefined || added.length > 1) return lostAt(node);
  const window = windowOf(node, layer.kernel, { isTransposed: node.opType === "ConvTranspose" });
  if (window === null) return lostAt(node, "with an output shape of its own");
  return { ...map, step: trace.push({ op: "connect", layer: layer.index, of: map.step, window }) };
};

const multiply: Rule = ({ call, places, added }, trace) => {
  const [layer] = added;
  const place = places.find((own) => own !== undefined)!;
  const { node } = call;
  const isTurned = node.int("transA", 0) !== 0 || places[0] === undefined;
  if (place.kind === "lost") return place;
  if (layer === undefined || added.length > 1 || isTurned)
    return lostAt(node, "of activations is not followed");
  if (place.kind === "map" && !place.isLast) return lostAt(node, "along positions");
  if (place.kind === "open" && place.order.length > 2) {
    const order = [place.order[0]!, place.order.at(-1)!, ...place.order.slice(1, -1)];
    const map = trace.mapAt({ ...place, order })!;
    const of = map.step;
    return {
      ...map,
      isLast: true,
      step: trace.push({ op: "connect", layer: layer.index, of, window: null }),
    };
  }
  const step = trace.push({
    op: "connect",
    layer: layer.index,
    of: trace.stepOf(place),
    window: null,
  });
  return place.kind === "map" ? { ...place, step } : { kind: "features", step };
};

const pool: Rule = ({ call, places }, trace) => {
  const { node } = call;
  const map = trace.mapAt(places[0]);
  if (map === null || map.isLast) return places[0]?.kind === "lost" ? places[0] : lostAt(node);
  const window = windowOf(node, node.ints("kernel_shape") ?? []);
  if (window === null) return lostAt(node);
  const step = trace.push({
    op: "pool",
    name: node.outputs[0]!,
    of: map.step,
    mode: node.opType.includes("Max") ? "max" : "average",
    window,
    countsPadding: node.int("count_include_pad", 0) !== 0,
  });
  return { ...map, step };
};

/** Nearest neighbours, as many as a whole number says: each activation stands at all positions of a window. */
const resize: Rule = async ({ call, places }, trace) => {
  const { node } = call;
  const map = trace.mapAt(places[0]);
  const scales = await knownIntegersAt(call, node.opType === "Upsample" ? 1 : 2);
  const from = node.text("coordinate_transformation_mode", "half_pixel");
  const rounding = node.text("nearest_mode", "round_prefer_floor");
  const isWhole =
    node.opType === "Upsample" ||
    (from === "asymmetric"
      ? rounding === "floor"
      : /half_pixel/.test(from) && rounding === "round_prefer_floor");
  const isNearest = node.text("mode", "nearest") === "nearest" && isWhole;
  if (map === null || !isNearest || scales?.length !== map.rank)
    return places[0]?.kind === "lost" ? places[0] : lostAt(node);
  const channels = map.isLast ? map.rank - 1 : 1;
  const kernel = scales.filter((_, i) => i !== 0 && i !== channels);
  if (scales[0] !== 1 || scales[channels] !== 1) return lostAt(node, "of channels");
  const [ones, none] = [kernel.map(() => 1), kernel.map(() => 0)];
  const window = {
    kernel,
    strides: kernel,
    dilations: ones,
    padding: [],
    transposed: { outputPadding: none },
  };
  return {
    ...map,
    step: trace.push({ op: "pool", name: node.outputs[0]!, of: map.step, mode: "copy", window }),
  };
};

const poolAll: Rule = ({ call, places }, trace) => {
  const { node } = call;
  const map = trace.mapAt(places[0]);
  if (map === null) return places[0]?.kind === "lost" ? places[0] : lostAt(node);
  const mode = node.opType.includes("Max") ? "max" : "average";
  const step = trace.push({
    op: "pool",
    name: node.outputs[0]!,
    of: map.step,
    mode,
    window: "all",
  });
  return { ...map, step };
};

/** Over all positions it is a global pooling. */
const reduce: Rule = async (placed, trace) => {
  const { call, places } = placed;
  const named =
    call.inputs[1] === undefined ? call.node.ints("axes") : await knownIntegersAt(call, 1);
  const map = trace.mapAt(places[0]);
  if (map === null || named === null)
    return places[0]?.kind === "lost" ? places[0] : lostAt(call.node);
  const axes = named.map((axis) => (axis < 0 ? axis + map.rank : axis)).toSorted((a, b) => a - b);
  const first = map.isLast ? 1 : 2;
  const isAll = axes.length === map.rank - 2 && axes.every((axis, i) => axis === first + i);
  if (!isAll) return lostAt(call.node, "over other axes than all positions");
  const pooled = await poolAll(placed, trace);
  return call.node.int("keepdims", 1) === 0 && pooled.kind === "map"
    ? flattened(pooled, trace)
    : pooled;
};

function flattened(place: Place, trace: Steps): Place {
  if (place.kind === "features" || place.kind === "lost") return place;
  const order = place.kind === "map" && place.isLast ? "positions first" : "channels first";
  return { kind: "features", step: trace.push({ op: "flatten", of: trace.stepOf(place), order }) };
}

const flatten: Rule = ({ call, places }, trace) =>
  call.node.int("axis", 1) === 1 && places[0] !== undefined
    ? flattened(places[0], trace)
    : lostAt(call.node, "from another axis");

/** To [batch, features] it is a flatten, from there to more axes the reverse. */
const reshape: Rule = async ({ call, places }, trace) => {
  const target = (await integersAt(call, 1)) ?? call.node.ints("shape");
  const [batch = 0, features = 0] = target ?? [];
  const isBatch = batch === 0 || batch === 1 || batch === null || (batch === -1 && features !== -1);
  const [place] = places;
  if (place === undefined || target === null || target.length < 2 || !isBatch)
    return lostAt(call.node, "to other axes than [batch, …]");
  if (target.length === 2) return flattened(place, trace);
  const isVector = place.kind === "features" || (place.kind === "open" && place.order.length === 2);
  if (!isVector) return lostAt(call.node, "of a map to other axes");
  const shape = target.map((size) => (size === 0 || size === -1 ? null : size));
  const source = { name: call.node.outputs[0]!, shape, units: trace.stepOf(place) };
  return { kind: "open", source, order: [...shape.keys()] };
};

/** Of all positions, each one only, it is a flatten; others are not worked out. */
const squeeze: Rule = async ({ call, places }, trace) => {
  const [place] = places;
  const named =
    call.inputs[1] === undefined ? call.node.ints("axes") : await knownIntegersAt(call, 1);
  const isAll = place?.kind === "map" && (named === null || named.length === place.rank - 2);
  return isAll ? flattened(place, trace) : lostAt(call.node);
};

const transpose: Rule = ({ call, places }) => {
  const [place] = places;
  const perm = call.node.ints("perm");
  if (place === undefined) return lostAt(call.node, "of a constant is not followed");
  if (place.kind === "lost") return place;
  if (perm === null) return lostAt(call.node, "without an order");
  if (place.kind === "open") {
    const order = perm.map((axis) => place.order[axis] ?? -1);
    return order.includes(-1) ? lostAt(call.node) : { ...place, order };
  }
  const isPlain = perm.every((axis, i) => axis === i);
  if (isPlain) return place;
  const axes = [...perm.keys()];
  const back = [0, ...axes.slice(2), 1];
  const front = [0, axes.length - 1, ...axes.slice(1, -1)];
  const isTurn = perm.join() === (place.kind === "map" && place.isLast ? front : back).join();
  return isTurn && place.kind === "map" ? { ...place, isLast: !place.isLast } : lostAt(call.node);
};

const pad: Rule = async ({ call, places }, trace) => {
  const { node } = call;
  const pads = call.inputs[1] === undefined ? node.ints("pads") : await knownIntegersAt(call, 1);
  const map = trace.mapAt(places[0]);
  const isConstant = node.text("mode", "constant") === "constant" && call.inputs[3] === undefined;
  if (map === null || pads === null || !isConstant)
    return places[0]?.kind === "lost" ? places[0] : lostAt(node);
  const axes = Array.from(
    { length: map.rank },
    (_, i) => [pads[i] ?? 0, pads[i + map.rank] ?? 0] as const,
  );
  const channels = map.isLast ? map.rank - 1 : 1;
  if ([axes[0]!, axes[channels]!].flat().some((size) => size !== 0))
    return lostAt(node, "of channels");
  const spatial = axes.filter((_, i) => i !== 0 && i !== channels);
  if (spatial.flat().every((size) => size === 0)) return map;
  return { ...map, step: trace.push({ op: "pad", of: map.step, pads: spatial }) };
};

const concatenate: Rule = ({ call, places }, trace) => {
  const [first] = places;
  const { node } = call;
  const lost = places.find((place) => place?.kind === "lost");
  if (lost !== undefined) return lost;
  const rank = first?.kind === "map" ? first.rank : 2;
  const channels = first?.kind === "map" && first.isLast ? rank - 1 : 1;
  const isAlike =
    first !== undefined && places.every((place) => place !== undefined && sameAxes(place, first));
  const isKnown = first?.kind === "map" || first?.kind === "features";
  if (!isAlike || !isKnown || node.axis(rank, 1) !== channels)
    return lostAt(node, "along other axes than channels");
  return {
    ...first,
    step: trace.push({ op: "concatenate", of: places.map((place) => trace.stepOf(place)) }),
  };
};

export const placeRules: ReadonlyMap<string, Rule> = new Map(
  (
    [
      [pass, [...passing, ...gating, ...normalising].filter((op) => !moving.has(op))],
      [pass, ["Clip", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"]],
      [sum, ["Add", "Sub", "Sum", "Mean", "Max", "Min", "QLinearAdd"]],
      [product, ["Mul", "Div", "Pow", "Mod", "QLinearMul"]],
      [convolve, ["Conv", "FusedConv", "ConvTranspose", "QLinearConv", "ConvInteger"]],
      [multiply, ["Gemm", "FusedGemm", "MatMul", "QLinearMatMul", "MatMulInteger", "QGemm"]],
      [multiply, ["DynamicQuantizeMatMul", "MatMulIntegerToFloat"]],
      [pool, ["MaxPool", "AveragePool", "QLinearAveragePool"]],
      [poolAll, ["GlobalAveragePool", "GlobalMaxPool", "QLinearGlobalAveragePool"]],
      [resize, ["Resize", "Upsample"]],
      [reduce, ["ReduceMean", "ReduceMax"]],
      [flatten, ["Flatten"]],
      [reshape, ["Reshape"]],
      [squeeze, ["Squeeze"]],
      [transpose, ["Transpose"]],
      [pad, ["Pad"]],
      [concatenate, ["Concat"]],
    ] as const
  ).flatMap(([rule, names]) => names.map((name) => [name, rule] as const)),
);
