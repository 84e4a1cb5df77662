/**
 * com.microsoft's larger operators on quantised weights: dequantised, then followed as the operator on real numbers.
 * Source: https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md.
 */
import { permute } from "../../../tensor/permute.ts";
import { unknownActivation, type Activation } from "../activation.ts";
import { foldedFrom, type Constant } from "../constant.ts";
import { dequantise } from "../dequantise.ts";
import { constantAt, type Call } from "../operator.ts";
import { unpacked } from "../packedConstant.ts";
import { packedAttention } from "./attention.ts";
import { experts } from "./experts.ts";
import { embedNormalise } from "./fused.ts";
import { lost, single, unsigned } from "./packed.ts";
import { claimParameters, real, withInputs } from "./quantised.ts";
import { recurrent } from "./recurrent.ts";

/** input, weights [in, queries + keys + values], bias, scales of both, mask, zero points of both, past. */
export function qAttention(call: Call): readonly Activation[] {
  claimParameters(call, [3, 4, 6, 7]);
  const weight = real(call, 1, { scale: constantAt(call, 4), zeroPoint: 7, axis: 1 });
  const { inputs } = call;
  return packedAttention(withInputs(call, [inputs[0], weight ?? inputs[1], inputs[2], inputs[5]]));
}

/** Ids, segments, three tables, gamma, beta, mask, then five scales and five zero points. */
export function qEmbedNormalise(call: Call): readonly Activation[] {
  claimParameters(call, [8, 9, 10, 11, 12, 13, 14, 15, 16, 17]);
  const inputs = call.inputs.slice(0, 8).map((input, at) => {
    if (at < 2 || at > 6) return input;
    return (
      real(call, at, { scale: constantAt(call, at + 6), zeroPoint: at + 11, axis: 0 }) ?? input
    );
  });
  return embedNormalise(withInputs(call, inputs));
}

/** As an LSTM, but W [directions, in, gates] and R [directions, hidden, gates], with scales and zero points behind. */
export function dynamicQuantizeLstm(call: Call): readonly Activation[] {
  claimParameters(call, [8, 9, 10, 11]);
  const w = gateMatrix(call, 1, 8);
  const r = gateMatrix(call, 2, 10);
  if (w === null || r === null) {
    lost(call, 1);
    return lost(call, 2);
  }
  const [x, , , ...others] = call.inputs.slice(0, 8);
  return recurrent(withInputs(call, [x, w, r, ...others]));
}

/** Dequantised by direction, or by direction and gate; then turned to [directions, gates, in]. */
function gateMatrix(call: Call, at: number, scaleAt: number): Constant | null {
  const data = constantAt(call, at);
  const scale = constantAt(call, scaleAt);
  if (data?.shape.length !== 3 || scale === null) return null;
  const { shape } = data;
  const zeros = constantAt(call, scaleAt + 1);
  const place =
    scale.shape.length === 2 && scale.shape[1] !== 1
      ? { axis: 1, blockSize: shape[1]! }
      : { axis: 0 };
  const values = dequantise(data, scale, zeros, place);
  if (values === null) return null;
  return foldedFrom([values], {
    shape: [shape[0]!, shape[2]!, shape[1]!],
    read: async () => permute(await values.read(), shape, [0, 2, 1]),
  });
}

/**
 * input, router's shares, then weights [experts, out, in], scales and bias of fc1, fc2 and fc3, then their zero points. Scales are by
 * row, or by block of a row.
 */
export function quantisedExperts(call: Call): readonly Activation[] {
  claimParameters(call, [3, 6, 9, 11, 12, 13]);
  const stacks = [2, 5, 8].map((at, i) => expertStack(call, at, 11 + i));
  const isWhole = stacks.every(
    (stack, i) => stack !== null || constantAt(call, 2 + 3 * i) === null,
  );
  if (!isWhole || !stacks[0] || !stacks[1]) {
    for (const at of [2, 5, 8]) lost(call, at);
    return [unknownActivation];
  }
  const { inputs } = call;
  const layers = stacks.flatMap((stack, i) => [stack ?? undefined, inputs[4 + 3 * i]]);
  return experts(withInputs(call, [inputs[0], inputs[1], ...layers]));
}

function expertStack(call: Call, at: number, zeroAt: number): Constant | null {
  const data = constantAt(call, at);
  const scale = constantAt(call, at + 1);
  const bits = call.node.int("expert_weight_bits", 4);
  const dtype = unsigned[bits];
  const isPlain = call.node.text("quant_type", "int") === "int";
  if (data?.shape.length !== 3 || scale === null || dtype === undefined || !isPlain) return null;
  const shape = data.shape.with(2, (data.shape[2]! * 8) / bits);
  const steps = unpacked(data, dtype, shape);
  if (steps === null) return null;
  const stored = constantAt(call, zeroAt);
  const zeros = stored === null ? single(2 ** (bits - 1)) : unpacked(stored, dtype, scale.shape);
  const ownBlock = call.node.int("block_size", 0);
  const blockSize = scale.shape.length === 3 && ownBlock > 0 ? ownBlock : shape[2]!;
  return zeros && dequantise(steps, scale, zeros, { axis: 2, blockSize });
}
