import { fillUniform, type Initializer } from "./initializer.ts";

/** Uniform with variance 2 / (fanIn + fanOut); biases zero. Source: Glorot and Bengio 2010, AISTATS, eq. 16. */
export const xavierUniform: Initializer = {
  name: "xavierUniform",
  fill(values, { role, fanIn, fanOut }, random) {
    if (role === "weight") fillUniform(values, Math.sqrt(6 / (fanIn + fanOut)), random);
  },
};
