import type { Operation } from "../ir.ts";
import { updateTypes } from "./updates.ts";

/** The columns of `settings`: [P, 5]. `intake` weighs the gradient's entry into the velocity, `nesterov` is 0 or 1. */
export const sgdColumns = [
  "learningRate",
  "momentum",
  "intake",
  "weightDecay",
  "nesterov",
] as const;

/**
 * Stochastic gradient descent, in place: parameter [P, …], gradient, velocity, settings [P, 5].
 * d = g + decay θ; v ← momentum v + intake d; θ ← θ - rate (nesterov ? d + momentum v : v).
 * Source: Sutskever et al. 2013 in the form that PyTorch documents for torch.optim.SGD.
 */
export const sgdUpdateOperation: Operation = {
  name: "sgdUpdate",
  inPlace: true,
  sharing: [0, 2],
  infer: (inputs) => updateTypes("sgdUpdate", inputs, sgdColumns.length),
  evaluate({ inputs }, [parameter, gradient, velocity, settings]) {
    const [members = 1] = inputs[0]!.shape;
    const size = parameter!.length / members;
    for (let i = 0; i < parameter!.length; i++) {
      const row = Math.floor(i / size) * sgdColumns.length;
      const momentum = settings![row + 1]!;
      const descent = gradient![i]! + settings![row + 3]! * parameter![i]!;
      const speed = momentum * velocity![i]! + settings![row + 2]! * descent;
      velocity![i] = speed;
      const looksAhead = settings![row + 4]!;
      const move = looksAhead === 0 ? speed : descent + momentum * speed;
      parameter![i]! -= settings![row]! * move;
    }
  },
};
