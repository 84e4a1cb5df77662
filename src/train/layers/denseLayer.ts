import { requireShape } from "../ir.ts";
import { addBias } from "../ops/addBias.ts";
import { dense } from "../ops/dense.ts";
import { wholeOption, type Layer } from "./layer.ts";

/** Fully connected: [features] to [units]. Options: `units`. Parameters: weight [units, features], bias [units]. */
export const denseLayer: Layer = {
  name: "dense",
  plan(inputShape, options) {
    const units = wholeOption(options, "units", { least: 1 });
    requireShape(inputShape.length === 1, "dense takes flat samples: flatten first", inputShape);
    const [features = 1] = inputShape;
    const fans = { fanIn: features, fanOut: units };
    return {
      outputShape: [units],
      parameters: [
        { name: "weight", role: "weight", shape: [units, features], ...fans },
        { name: "bias", role: "bias", shape: [units], ...fans },
      ],
      apply: (scope, x, [weight, bias]) => addBias(scope, dense(scope, x, weight!), bias!),
    };
  },
};
