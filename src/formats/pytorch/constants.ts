/** The tensors of `constants.pkl` in TorchScript: literals of its code, and of a frozen module every weight. */
import type { PickleValue } from "../../bytes/pickleValue.ts";
import type { ChosenWeights } from "./chooseWeights.ts";
import type { NamedTensor } from "./moduleTree.ts";
import { tensorRecord, type TensorRecord } from "./tensorRecord.ts";

/** Names as TorchScript's own code has them: `CONSTANTS.c0`. */
export function withConstants(chosen: ChosenWeights, constants: PickleValue): ChosenWeights {
  if (!Array.isArray(constants)) return chosen;
  const isFrozen = chosen.tensors.length === 0;
  const tensors = constants.flatMap((value, index): NamedTensor[] => {
    const record = tensorRecord(value);
    if (record === null) return [];
    const name = `CONSTANTS.c${index}`;
    return [{ name, record: inConstants(record), owner: null, kind: isFrozen ? null : "constant" }];
  });
  return { ...chosen, tensors: [...chosen.tensors, ...tensors] };
}

/** Their storages lie in a folder of their own. */
function inConstants(record: TensorRecord): TensorRecord {
  const { data, quantiser } = record;
  const move = <T>(own: T | TensorRecord): T | TensorRecord =>
    Array.isArray(own) ? own : inConstants(own as TensorRecord);
  return {
    ...record,
    data:
      data.kind === "storage"
        ? { kind: "storage", key: `constants/${data.key}` }
        : data.kind === "sparse"
          ? { ...data, parts: data.parts.map(inConstants) }
          : data,
    quantiser:
      quantiser?.kind === "channel"
        ? { ...quantiser, scales: move(quantiser.scales), zeroPoints: move(quantiser.zeroPoints) }
        : quantiser,
  };
}
