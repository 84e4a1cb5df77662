import type { LayerSpec } from "../network.ts";
import type { ZooEntry } from "./zoo.ts";

/** Fully connected layers on the flattened image. Options: `hidden` (32, 16), `activation` (relu). */
export const mlp: ZooEntry = {
  name: "mlp",
  title: "fully connected layers",
  build: ({ inputShape, classes, hidden = [32, 16], activation = "relu" }) => ({
    name: "mlp",
    inputShape,
    layers: [
      { layer: "flatten" },
      ...hidden.flatMap((units): LayerSpec[] => [{ layer: "dense", units }, { layer: activation }]),
      { layer: "dense", units: classes },
    ],
  }),
};
