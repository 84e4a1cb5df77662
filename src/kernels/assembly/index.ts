// What the WebAssembly module exports. `src/kernels/load.ts` has its types.
export { relu, reluGradient, tanh, tanhGradient } from "./activation";
export { contract } from "./contract";
export { correlate } from "./correlate";
export { clearPadding, fromLanes, packTiles, padPlanes, toLanes } from "./lanes";
export { softmaxCrossEntropy, softmaxCrossEntropyGradient } from "./loss";
export { adamUpdate, sgdUpdate } from "./optimizer";
export { maxPool, maxPoolGradient } from "./pool";
export { add, addBias, fill, multiply, sumRows } from "./vector";
