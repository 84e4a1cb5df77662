import type { DType } from "../../tensor/dtype.ts";
import {
  iq4Uneven,
  mxfp4,
  q4One,
  q4Zero,
  q5One,
  q5Zero,
  q8Zero,
  type Dequantise,
} from "./blocks.ts";
import {
  quantiseQ4One,
  quantiseQ4Zero,
  quantiseQ5One,
  quantiseQ5Zero,
  quantiseQ8Zero,
  type Quantise,
} from "./quantise.ts";
import { iq4Xs, q2K, q3K, q4K, q5K, q6K, q8K, tq1, tq2 } from "./superBlocks.ts";

/** How elements are stored: one by one, or in blocks with scales of their own. */
export interface GgmlType {
  readonly name: string;
  /** Of a block, and the bytes that it takes. */
  readonly elements: number;
  readonly bytes: number;
  /** Of the stored codes; whole bytes where they have no type of their own. */
  readonly dtype: DType;
  /** Null for plain elements, and for blocks that are counted alone. */
  readonly dequantise: Dequantise | null;
  readonly quantise: Quantise | null;
}

const plain = (name: string, bytes: number, dtype: DType): GgmlType => ({
  name,
  elements: 1,
  bytes,
  dtype,
  dequantise: null,
  quantise: null,
});

const blocks = (
  name: string,
  [elements, bytes, dtype]: readonly [elements: number, bytes: number, dtype: DType],
  dequantise: Dequantise | null = null,
  quantise: Quantise | null = null,
): GgmlType => ({ name, elements, bytes, dtype, dequantise, quantise });

/** By number in the file. Blocks whose levels come from tables of code words (IQ1 to IQ3) are counted, not read. */
export const ggmlTypes: ReadonlyMap<number, GgmlType> = new Map([
  [0, plain("F32", 4, "float32")],
  [1, plain("F16", 2, "float16")],
  [2, blocks("Q4_0", [32, 18, "uint4"], q4Zero, quantiseQ4Zero)],
  [3, blocks("Q4_1", [32, 20, "uint4"], q4One, quantiseQ4One)],
  [6, blocks("Q5_0", [32, 22, "uint8"], q5Zero, quantiseQ5Zero)],
  [7, blocks("Q5_1", [32, 24, "uint8"], q5One, quantiseQ5One)],
  [8, blocks("Q8_0", [32, 34, "int8"], q8Zero, quantiseQ8Zero)],
  [10, blocks("Q2_K", [256, 84, "uint2"], q2K)],
  [11, blocks("Q3_K", [256, 110, "uint8"], q3K)],
  [12, blocks("Q4_K", [256, 144, "uint4"], q4K)],
  [13, blocks("Q5_K", [256, 176, "uint8"], q5K)],
  [14, blocks("Q6_K", [256, 210, "uint8"], q6K)],
  [15, blocks("Q8_K", [256, 292, "int8"], q8K)],
  [16, blocks("IQ2_XXS", [256, 66, "uint8"])],
  [17, blocks("IQ2_XS", [256, 74, "uint8"])],
  [18, blocks("IQ3_XXS", [256, 98, "uint8"])],
  [19, blocks("IQ1_S", [256, 50, "uint8"])],
  [20, blocks("IQ4_NL", [32, 18, "uint4"], iq4Uneven)],
  [21, blocks("IQ3_S", [256, 110, "uint8"])],
  [22, blocks("IQ2_S", [256, 82, "uint8"])],
  [23, blocks("IQ4_XS", [256, 136, "uint4"], iq4Xs)],
  [24, plain("I8", 1, "int8")],
  [25, plain("I16", 2, "int16")],
  [26, plain("I32", 4, "int32")],
  [27, plain("I64", 8, "int64")],
  [28, plain("F64", 8, "float64")],
  [29, blocks("IQ1_M", [256, 56, "uint8"])],
  [30, plain("BF16", 2, "bfloat16")],
  [34, blocks("TQ1_0", [256, 54, "uint8"], tq1)],
  [35, blocks("TQ2_0", [256, 66, "uint2"], tq2)],
  [39, blocks("MXFP4", [32, 17, "float4_e2m1"], mxfp4)],
  [40, blocks("NVFP4", [64, 36, "float4_e2m1"])],
  [41, blocks("Q1_0", [128, 18, "uint8"])],
]);
