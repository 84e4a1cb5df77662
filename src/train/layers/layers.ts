/** Every layer by name; an activation is a layer without parameters. A new one is a file and a line here. */
import { activations, type Activation } from "../activations/activations.ts";
import { createRegistry, type Registry } from "../registry.ts";
import { conv2dLayer } from "./conv2dLayer.ts";
import { denseLayer } from "./denseLayer.ts";
import { flattenLayer } from "./flattenLayer.ts";
import type { Layer } from "./layer.ts";
import { maxPool2dLayer } from "./maxPool2dLayer.ts";

export const layers: Registry<Layer> = createRegistry("layer", [
  denseLayer,
  conv2dLayer,
  maxPool2dLayer,
  flattenLayer,
  ...activations.all().map(activationLayer),
]);

/** The layer that applies `activation` to every neuron. */
export function activationLayer({ name, apply }: Activation): Layer {
  return { name, plan: (outputShape) => ({ outputShape, parameters: [], apply }) };
}
