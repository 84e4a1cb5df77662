import { fillUniform, type Initializer } from "./initializer.ts";

/** Uniform with variance 2 / fanIn, which relu keeps from layer to layer; biases zero. Source: He et al. 2015, arXiv 1502.01852. */
export const kaimingUniform: Initializer = {
  name: "kaimingUniform",
  fill(values, { role, fanIn }, random) {
    if (role === "weight") fillUniform(values, Math.sqrt(6 / fanIn), random);
  },
};
