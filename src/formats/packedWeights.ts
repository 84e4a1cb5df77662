/**
 * Weights that a state dict holds in parts, by what other tensors stand beside them: packed integers and their scales (GPTQ, AWQ,
 * bitsandbytes, scaled 8-bit floats), and the state of an optimiser.
 */
import type { ModelWarning } from "../model/model.ts";

export interface Companions {
  /** Scales and zero points: listed as the file has them, no weights between neurons. */
  readonly scales: ReadonlySet<string>;
  /** Running means of gradients and the like. */
  readonly optimiser: ReadonlySet<string>;
  readonly warnings: readonly ModelWarning[];
}

/** The packed tensor, and what stands beside it under the same name. */
const containers: readonly (readonly [packed: string, scales: readonly string[], title: string])[] =
  [
    [".qweight", [".scales", ".qzeros", ".g_idx"], "GPTQ or AWQ"],
    [
      ".weight",
      [".weight.absmax", ".weight.quant_map", ".weight.nested_absmax", ".weight.nested_quant_map"],
      "bitsandbytes",
    ],
    [".weight", [".SCB"], "bitsandbytes"],
    [".weight", [".weight_scale_inv", ".weight_scale", ".input_scale"], "scaled floats"],
    [
      ".weight_packed",
      [".weight_scale", ".weight_shape", ".weight_zero_point"],
      "compressed-tensors",
    ],
  ];

const optimiserState =
  /(?:^|[./])(?:exp_avg(?:_sq)?|max_exp_avg_sq|momentum_buffer|square_avg|acc_delta|grad_avg)(?:[./]|$)|^optim(?:izer|iser)?(?:_state)?[./]/;

export function companionsOf(names: readonly string[]): Companions {
  const all = new Set(names);
  const scales = new Set<string>();
  const packed = new Map<string, string[]>();
  for (const name of names) {
    for (const [ending, others, title] of containers) {
      if (!name.endsWith(ending)) continue;
      const stem = name.slice(0, -ending.length);
      const found = others.map((other) => stem + other).filter((other) => all.has(other));
      if (found.length === 0) continue;
      for (const other of found) scales.add(other);
      const of = packed.get(title);
      if (of === undefined) packed.set(title, [name]);
      else of.push(name);
    }
  }
  const optimiser = new Set(names.filter((name) => optimiserState.test(name)));
  return { scales, optimiser, warnings: [...packedWarnings(packed), ...stateWarnings(optimiser)] };
}

function packedWarnings(packed: ReadonlyMap<string, readonly string[]>): ModelWarning[] {
  return [...packed].map(([title, own]) => ({
    code: "WEIGHTS_PACKED",
    message: `${own.length} tensors hold weights in parts (${title}); they are read as stored, without their scales: ${briefly(own)}`,
  }));
}

function stateWarnings(optimiser: ReadonlySet<string>): ModelWarning[] {
  if (optimiser.size === 0) return [];
  const message = `${optimiser.size} tensors are an optimiser's state, no weights: ${briefly([...optimiser])}`;
  return [{ code: "OPTIMIZER_STATE", message }];
}

function briefly(names: readonly string[]): string {
  return names.slice(0, 5).join(", ") + (names.length > 5 ? ", …" : "");
}
