import type { Operation } from "../ir.ts";
import { updateTypes } from "./updates.ts";

/** The columns of `settings`: [P, 8]. The step size is rate / (1 - β1^t), `rootCorrection` is √(1 - β2^t). */
export const adamColumns = [
  "stepSize",
  "beta1",
  "oneMinusBeta1",
  "beta2",
  "oneMinusBeta2",
  "rootCorrection",
  "epsilon",
  "weightDecay",
] as const;

/**
 * Adam, in place: parameter [P, …], gradient, mean, square, settings [P, 8].
 * d = g + decay θ; m ← β1 m + (1 - β1) d; s ← β2 s + (1 - β2) d²; θ ← θ - size m / (√s / rootCorrection + ε).
 * Source: Kingma and Ba 2015, arXiv 1412.6980, in the form that PyTorch documents for torch.optim.Adam.
 */
export const adamUpdateOperation: Operation = {
  name: "adamUpdate",
  inPlace: true,
  sharing: [0, 2, 3],
  infer: (inputs) => updateTypes("adamUpdate", inputs, adamColumns.length),
  evaluate({ inputs }, [parameter, gradient, mean, square, settings]) {
    const [members = 1] = inputs[0]!.shape;
    const size = parameter!.length / members;
    for (let i = 0; i < parameter!.length; i++) {
      const row = Math.floor(i / size) * adamColumns.length;
      const descent = gradient![i]! + settings![row + 7]! * parameter![i]!;
      const first = settings![row + 1]! * mean![i]! + settings![row + 2]! * descent;
      const second = settings![row + 3]! * square![i]! + settings![row + 4]! * descent * descent;
      mean![i] = first;
      square![i] = second;
      const scale = Math.sqrt(second) / settings![row + 5]! + settings![row + 6]!;
      parameter![i]! -= (settings![row]! * first) / scale;
    }
  },
};
