import type { ZooEntry } from "./zoo.ts";

/**
 * LeNet-5 with relu and max-pooling, as it is taught today: two convolutions 5 x 5 (6 and 16 channels, the first padded by 2),
 * then 120, 84 and the classes. After LeCun et al. 1998, doi 10.1109/5.726791.
 */
export const lenet5: ZooEntry = {
  name: "lenet5",
  title: "LeNet-5 with relu and max-pooling",
  build: ({ inputShape, classes }) => ({
    name: "lenet5",
    inputShape,
    layers: [
      { layer: "conv2d", channels: 6, kernel: 5, padding: 2 },
      { layer: "relu" },
      { layer: "maxPool2d", size: 2 },
      { layer: "conv2d", channels: 16, kernel: 5 },
      { layer: "relu" },
      { layer: "maxPool2d", size: 2 },
      { layer: "flatten" },
      { layer: "dense", units: 120 },
      { layer: "relu" },
      { layer: "dense", units: 84 },
      { layer: "relu" },
      { layer: "dense", units: classes },
    ],
  }),
};
