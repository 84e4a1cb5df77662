/** Memory in which kernels add up a symmetric matrix and reduce it to tridiagonal form. */
import { panelWidth, type GramRoom } from "../numeric/gram.ts";
import type { ReductionRoom } from "../numeric/symmetricEigenvalues.ts";
import { graphKernels, type GraphKernelInstance } from "./graphKernels.ts";

export interface SymmetricRoom {
  readonly gram: GramRoom;
  readonly reduction: ReductionRoom;
}

/** Smaller ones are done before the kernels are there. */
const leastSize = 32;
/** Addresses below are the threads' own. */
const firstByte = 65_536;

/** Rooms for matrices of any size, one at a time: the next one takes the memory of the last. Null where kernels do not serve. */
export function symmetricRooms(): (n: number) => SymmetricRoom | null {
  let instance: GraphKernelInstance | null = null;
  return (n) => {
    if (n < leastSize) return null;
    const padded = 4 * Math.ceil(n / 4);
    const vectorsAt = firstByte + 8 * n * n;
    const panelAt = vectorsAt + 4 * 8 * padded;
    const end = panelAt + 8 * padded * panelWidth;
    if (instance === null || instance.memory.buffer.byteLength < end) instance = graphKernels(end);
    if (instance === null) return null;
    const { kernels, memory } = instance;
    const array = (at: number, length: number): Float64Array =>
      new Float64Array(memory.buffer, at, length).fill(0);
    return {
      gram: {
        gram: array(firstByte, n * n),
        panel: array(panelAt, padded * panelWidth),
        addProducts: () => kernels.addGram(panelAt, n, panelWidth, firstByte),
      },
      reduction: {
        vectors: Array.from({ length: 4 }, (_, i) => array(vectorsAt + 8 * padded * i, n)),
        reduce(size, { v, w, next, product }) {
          const vectors = [v, w, next, product].map(({ byteOffset }) => byteOffset);
          kernels.reduceTriangle(
            firstByte,
            n,
            size,
            ...(vectors as [number, number, number, number]),
          );
        },
      },
    };
  };
}
