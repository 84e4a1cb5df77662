import { fillUniform, type Initializer } from "./initializer.ts";

/**
 * What PyTorch does unasked: weights and biases uniform within 1/√fanIn (Kaiming's uniform rule with slope √5).
 * Source: torch.nn.Linear and torch.nn.Conv2d, documentation of `weight` and `bias`.
 */
export const torchDefault: Initializer = {
  name: "torchDefault",
  fill: (values, { fanIn }, random) => fillUniform(values, 1 / Math.sqrt(fanIn), random),
};
