/**
 * com.microsoft's operators on weights of a few bits, in blocks with a scale each.
 * Source: https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md; NF4: Dettmers 2023, arXiv 2305.14314.
 */
import type { DType } from "../../../tensor/dtype.ts";
import { elementCount } from "../../../tensor/shape.ts";
import { unknownActivation, type Activation } from "../activation.ts";
import type { Constant } from "../constant.ts";
import { blockGroups, dequantise, scaled, type Groups, type Parameter } from "../dequantise.ts";
import type { NodeReader } from "../nodeReader.ts";
import { claimInputs, constantAt, type Call } from "../operator.ts";
import { codebook, cropped, unpacked } from "../packedConstant.ts";
import { matMul, matMulRows } from "./dense.ts";
import { claimParameters, withInputs } from "./quantised.ts";
import { gather } from "./selection.ts";

export const unsigned: Readonly<Record<number, DType>> = { 2: "uint2", 4: "uint4", 8: "uint8" };

/** a, b [N, blocks, bytes], scales [N, blocks], zero points, group index [K], bias: y = a b' with b [N, K]. */
export function matMulNBits(call: Call): readonly Activation[] {
  claimParameters(call, [2, 3, 4]);
  claimInputs(call, 5, "bias");
  const weight = blockwise(call);
  return weight === null ? lost(call, 1) : matMulRows(call, weight);
}

/** a, b [N K / 2 bytes], absmax: y = a b' with b [N, K]. */
export function matMulBnb4(call: Call): readonly Activation[] {
  claimParameters(call, [2]);
  const weight = fourBit(call);
  if (weight === null) return lost(call, 1);
  if (call.node.int("transB", 1) !== 0) return matMulRows(call, weight);
  return matMul(withInputs(call, [call.inputs[0], weight]));
}

/** Null where sizes do not fit each other. */
function blockwise(call: Call): Constant | null {
  const { node } = call;
  const data = constantAt(call, 1);
  const scale = constantAt(call, 2);
  const [rows, width] = [node.int("N", 0), node.int("K", 0)];
  const [bits, blockSize] = [node.int("bits", 4), node.int("block_size", 0)];
  const dtype = unsigned[bits];
  const areSizes = [rows, width, blockSize].every((size) => Number.isSafeInteger(size) && size > 0);
  if (data === null || scale === null || dtype === undefined || !areSizes) return null;
  const blocks = Math.ceil(width / blockSize);
  const padded = blocks * blockSize;
  const steps = unpacked(data, dtype, [rows, padded]);
  if (steps === null || elementCount(scale.shape) !== rows * blocks) return null;
  const groupIndex = constantAt(call, 4);
  const groups = (stride: number): Groups =>
    groupIndex === null
      ? blockGroups({ axis: 1, size: padded, inner: 1, blockSize, stride })
      : indexGroups(groupIndex, { padded, blocks, stride });
  const zeros = zeroPoints(call, { rows, blocks, bits, groups });
  if (zeros === undefined) return null;
  return cropped(scaled(steps, { values: scale, groups: groups(blocks) }, zeros), width);
}

/** Packed as the weights are, each row from a byte on; or numbers of the scales' type. Undefined where they do not fit. */
function zeroPoints(
  call: Call,
  place: { rows: number; blocks: number; bits: number; groups: (stride: number) => Groups },
): Parameter | undefined {
  const { rows, blocks, bits, groups } = place;
  const own = constantAt(call, 3);
  if (own === null) return { values: single(2 ** (bits - 1)), groups: groups(blocks) };
  if (own.dtype !== "uint8") {
    if (elementCount(own.shape) !== rows * blocks) return undefined;
    return { values: own, groups: groups(blocks) };
  }
  const stride = (Math.ceil((blocks * bits) / 8) * 8) / bits;
  const values = unpacked(own, unsigned[bits]!, [rows, stride]);
  return values === null ? undefined : { values, groups: groups(stride) };
}

/** One number for all. */
export function single(value: number): Constant {
  return {
    kind: "constant",
    name: "",
    dtype: "float32",
    shape: [],
    records: [],
    cost: 1,
    read: async () => Float32Array.of(value),
    readSpan: async () => Float32Array.of(value),
  };
}

/** `g_idx`: the block of each column. */
function indexGroups(
  index: Constant,
  { padded, blocks, stride }: { padded: number; blocks: number; stride: number },
): Groups {
  const rowOf = (i: number): number => Math.floor(i / padded);
  return {
    title: "per group of columns",
    span: (start, end) => [rowOf(start) * stride, (rowOf(Math.max(start, end - 1)) + 1) * stride],
    async load() {
      const group = await index.read();
      return (i) => {
        const own = group[i % padded] ?? 0;
        const at = rowOf(i) * stride + Math.min(Math.max(own, 0), blocks - 1);
        return { at, length: 1, isShared: true };
      };
    },
  };
}

const normalFloat = [
  -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
  -0.18477343022823334, -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725,
  0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
  0.7229568362236023, 1,
];
const smallFloats = [0, 0.005208333333, 0.66666667, 1, 0.33333333, 0.5, 0.16666667, 0.25];
const signedFloat = [...smallFloats, ...smallFloats.map((value) => -value)].map(Math.fround);

/** Null where sizes do not fit each other. */
function fourBit(call: Call): Constant | null {
  const { node } = call;
  const data = constantAt(call, 1);
  const scale = constantAt(call, 2);
  const [outputs, inputs] = [node.int("N", 0), node.int("K", 0)];
  const blockSize = node.int("block_size", 0);
  const type = node.int("quant_type", 1);
  if (data === null || scale === null || !(outputs > 0 && inputs > 0 && blockSize > 0)) return null;
  if (type !== 0 && type !== 1) return null;
  const shape = node.int("transB", 1) === 0 ? [inputs, outputs] : [outputs, inputs];
  const values = codebook(data, type === 0 ? signedFloat : normalFloat, shape);
  const size = outputs * inputs;
  if (values === null || elementCount(scale.shape) !== Math.ceil(size / blockSize)) return null;
  const groups = blockGroups({ axis: 0, size, inner: 1, blockSize });
  const title = `${type === 0 ? "FP4" : "NF4"} per ${blockSize}`;
  return scaled(values, { values: scale, groups: { ...groups, title } }, null);
}

/** data [V, D], indices, scales [V, blocks], zero points: rows of a table, each in blocks along its last axis. */
export async function gatherBlockQuantized(call: Call): Promise<Constant | readonly Activation[]> {
  claimParameters(call, [2, 3]);
  const table = quantisedTable(call.node, {
    data: constantAt(call, 0),
    scale: constantAt(call, 2),
    zeroPoint: constantAt(call, 3),
  });
  if (table === null) return lost(call, 0);
  return gather({
    ...withInputs(call, [table, call.inputs[1]]),
    node: {
      ...call.node,
      axis: (rank, otherwise) => axisOf(call.node, "gather_axis", { rank, otherwise }),
    },
  });
}

function axisOf(
  node: NodeReader,
  name: string,
  { rank, otherwise }: { rank: number; otherwise: number },
): number {
  const axis = node.int(name, otherwise);
  return axis < 0 ? axis + rank : axis;
}

function quantisedTable(
  node: NodeReader,
  {
    data,
    scale,
    zeroPoint,
  }: { data: Constant | null; scale: Constant | null; zeroPoint: Constant | null },
): Constant | null {
  if (data === null || scale === null) return null;
  const blockSize = node.int("block_size", 128);
  const axis = axisOf(node, "quantize_axis", { rank: data.shape.length, otherwise: 1 });
  const bits = node.int("bits", 4);
  if (data.dtype !== "uint8") return dequantise(data, scale, zeroPoint, { axis, blockSize });
  const unpack = (packed: Constant): Constant | null => {
    const last = packed.shape.at(-1) ?? 0;
    const dtype = unsigned[bits];
    return dtype
      ? unpacked(packed, dtype, [...packed.shape.slice(0, -1), (last * 8) / bits])
      : null;
  };
  const steps = unpack(data);
  if (steps === null) return null;
  if (zeroPoint === null)
    return dequantise(steps, scale, single(2 ** (bits - 1)), { axis, blockSize });
  const zeros = unpack(zeroPoint);
  return zeros && dequantise(steps, scale, zeros, { axis, blockSize });
}

/** A weight that does not fit its sizes: named and counted. */
export function lost(call: Call, at: number): readonly Activation[] {
  const data = constantAt(call, at);
  if (data !== null) {
    call.collect.claim(data, "unknown");
    call.collect.unknownOperator(call.node.opType);
  }
  return [unknownActivation];
}
