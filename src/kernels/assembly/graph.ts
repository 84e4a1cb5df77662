// Kernels that measure blocks of weights where they lie. Their module shares its memory between threads where that is possible.
export { firstNotFinite } from "./finite";
export { strengths } from "./strengths";
export { absoluteProducts } from "./products";
