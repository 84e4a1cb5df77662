// Kernels that measure blocks of weights where they lie. Their module shares its memory between threads where that is possible.
export { firstNotFinite } from "./finite";
export { columnMembers, rowMembers, sharedBits } from "./members";
export { absoluteProducts, columnProducts, rowProducts } from "./products";
export { partSums, sumRowsAt, takeColumns, takeMasked, takeRows, takeRowsAt } from "./peel";
export { scan } from "./scan";
export { settle } from "./settle";
export { strengths } from "./strengths";
export { rewireRow } from "./rewire";
export { roughColumnProducts, roughRowProducts } from "./roughProducts";
export { addGram, reduceTriangle } from "./symmetric";
