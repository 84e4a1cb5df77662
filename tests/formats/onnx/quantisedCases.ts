/** Models with one quantised weight each, in every form that onnxruntime runs on a CPU. */
import { createRandom } from "../../../src/random.ts";
import {
  bytes,
  microsoftNode,
  node,
  tensor,
  type OnnxModelParts,
  type Tensor,
} from "../../helpers/onnxModel.ts";

const random = createRandom(7);
export const drawn = (count: number, limit: number): number[] =>
  Array.from({ length: count }, () => random.integer(limit));

export const unsigned = (
  name: string,
  dims: readonly number[],
  values: readonly number[],
): Tensor => ({
  name,
  dims: [...dims],
  dataType: 2,
  rawData: Uint8Array.from(values),
});
export const typed = (
  name: string,
  dims: readonly number[],
  dataType: number,
  raw: readonly number[],
): Tensor => ({
  name,
  dims: [...dims],
  dataType,
  rawData: Uint8Array.from(raw),
});
export const scales = (name: string, dims: readonly number[]): Tensor =>
  tensor(
    name,
    dims,
    drawn(
      dims.reduce((a, b) => a * b, 1),
      16,
    ).map((step) => (step + 1) / 64),
  );

interface Case {
  readonly name: string;
  readonly parts: OnnxModelParts;
  /** Rows of the identity. */
  readonly size: number;
  readonly relative?: number;
}

export const inputs = (size: number): { x: readonly number[] } => ({ x: [size, size] });
export const modern: { opset: number; irVersion: number } = { opset: 21, irVersion: 10 };
export const microsoft: { opset: number; microsoft: number } = { opset: 17, microsoft: 1 };

export const xScale: Tensor = tensor("x_scale", [], [1 / 64]);
export const xZero: Tensor = unsigned("x_zero", [], [3]);
export const yScale: Tensor = tensor("y_scale", [], [1 / 128]);
export const yZero: Tensor = typed("y_zero", [], 2, [128]);
/** x to uint8 and y back again. */
export const around = (inner: Parameters<typeof node>[]): ReturnType<typeof node>[] => [
  node("QuantizeLinear", ["x", "x_scale", "x_zero"], ["xq"]),
  ...inner.map((own) => node(...own)),
  node("DequantizeLinear", ["yq", "y_scale", "y_zero"], ["y"]),
];

const matMulOf = (weight: string) => node("MatMul", ["x", weight], ["y"]);
const dequantised = (
  q: Tensor,
  scale: Tensor,
  zero: Tensor | null,
  attributes: Record<string, number>,
): OnnxModelParts => ({
  ...modern,
  inputs: inputs(q.dims![0] as number),
  initializers: [q, scale, ...(zero ? [zero] : [])],
  nodes: [
    node("DequantizeLinear", ["w", "s", ...(zero ? ["z"] : [])], ["wf"], attributes),
    matMulOf("wf"),
  ],
});

export const cases: readonly Case[] = [
  {
    name: "DequantizeLinear per tensor",
    size: 4,
    parts: dequantised(
      bytes("w", [4, 3], [-128, 127, 0, 5, -6, 7, 8, 9, 10, -11, 12, 13]),
      tensor("s", [], [0.5]),
      bytes("z", [], [-3]),
      {},
    ),
  },
  {
    name: "DequantizeLinear per row",
    size: 4,
    parts: dequantised(
      unsigned("w", [4, 3], drawn(12, 256)),
      scales("s", [4]),
      unsigned("z", [4], drawn(4, 256)),
      { axis: 0 },
    ),
  },
  {
    name: "DequantizeLinear per column, the axis counted from the end",
    size: 4,
    parts: dequantised(
      unsigned("w", [4, 3], drawn(12, 256)),
      scales("s", [3]),
      unsigned("z", [3], drawn(3, 256)),
      { axis: -1 },
    ),
  },
  {
    name: "DequantizeLinear in blocks of int4 down the columns",
    size: 8,
    parts: dequantised(
      typed("w", [8, 3], 22, drawn(12, 256)),
      scales("s", [2, 3]),
      typed("z", [2, 3], 22, drawn(3, 256)),
      { axis: 0, block_size: 4 },
    ),
  },
  {
    name: "DequantizeLinear in blocks of uint4 along the rows, the last one short",
    size: 4,
    parts: dequantised(
      typed("w", [4, 6], 21, drawn(12, 256)),
      scales("s", [4, 2]),
      typed("z", [4, 2], 21, drawn(4, 256)),
      { axis: 1, block_size: 4 },
    ),
  },
  {
    name: "DequantizeLinear of float8",
    size: 4,
    parts: dequantised(
      typed("w", [4, 3], 17, drawn(12, 0x7f)),
      tensor("s", [], [0.25]),
      typed("z", [], 17, [0]),
      {},
    ),
  },
  {
    name: "QuantizeLinear and DequantizeLinear of floats",
    size: 5,
    parts: {
      ...modern,
      inputs: inputs(5),
      initializers: [tensor("w", [5, 4]), scales("s", [4]), bytes("z", [4], [0, 1, -2, 3])],
      nodes: [
        node("QuantizeLinear", ["w", "s", "z"], ["q"], { axis: 1 }),
        node("DequantizeLinear", ["q", "s", "z"], ["wf"], { axis: 1 }),
        matMulOf("wf"),
      ],
    },
  },
  {
    name: "QuantizeLinear to float8 and back",
    size: 5,
    parts: {
      ...modern,
      inputs: inputs(5),
      initializers: [tensor("w", [5, 4]), tensor("s", [], [0.125]), typed("z", [], 17, [0])],
      nodes: [
        node("QuantizeLinear", ["w", "s", "z"], ["q"]),
        node("DequantizeLinear", ["q", "s", "z"], ["wf"]),
        matMulOf("wf"),
      ],
    },
  },
  {
    name: "QLinearMatMul per column",
    size: 4,
    relative: 0.01,
    parts: {
      ...modern,
      inputs: inputs(4),
      initializers: [
        xScale,
        xZero,
        yScale,
        yZero,
        bytes("w", [4, 3], [40, -40, 20, 1, 2, 3, -4, 5, 6, 7, -33, 9]),
        tensor("s", [3], [1 / 128, 2 / 128, 3 / 128]),
        bytes("z", [3], [0, 0, 0]),
      ],
      nodes: around([
        ["QLinearMatMul", ["xq", "x_scale", "x_zero", "w", "s", "z", "y_scale", "y_zero"], ["yq"]],
      ]),
    },
  },
  {
    name: "MatMulInteger, scaled behind",
    size: 4,
    relative: 0.01,
    parts: {
      ...modern,
      inputs: inputs(4),
      initializers: [
        bytes("w", [4, 3], [-50, 50, 20, 1, 2, 3, -4, 5, 6, 7, -80, 9]),
        tensor("s", [3], [0.5, 0.25, 0.125]),
        bytes("z", [], [2]),
      ],
      nodes: [
        node("DynamicQuantizeLinear", ["x"], ["xq", "xs", "xz"]),
        node("MatMulInteger", ["xq", "w", "xz", "z"], ["i"]),
        node("Cast", ["i"], ["f"], { to: 1 }),
        node("Mul", ["xs", "s"], ["scale"]),
        node("Mul", ["f", "scale"], ["y"]),
      ],
    },
  },
  {
    name: "QGemm, transposed",
    size: 4,
    relative: 0.01,
    parts: {
      ...microsoft,
      inputs: inputs(4),
      initializers: [
        xScale,
        xZero,
        yScale,
        yZero,
        bytes("w", [3, 4], [40, -40, 20, 1, 2, 3, -4, 5, 6, 7, -33, 9]),
        tensor("s", [3], [1 / 128, 2 / 128, 3 / 128]),
        bytes("z", [3], [0, 0, 0]),
      ],
      nodes: [
        node("QuantizeLinear", ["x", "x_scale", "x_zero"], ["xq"]),
        microsoftNode(
          "QGemm",
          ["xq", "x_scale", "x_zero", "w", "s", "z", "", "y_scale", "y_zero"],
          ["yq"],
          { transB: 1, alpha: { float: 1 } },
        ),
        node("DequantizeLinear", ["yq", "y_scale", "y_zero"], ["y"]),
      ],
    },
  },
  {
    name: "DynamicQuantizeMatMul",
    size: 4,
    relative: 0.01,
    parts: {
      ...microsoft,
      inputs: inputs(4),
      initializers: [
        bytes("w", [4, 3], [40, -40, 20, 1, 2, 3, -4, 5, 6, 7, -33, 9]),
        tensor("s", [3], [0.5, 0.25, 0.125]),
        bytes("z", [3], [1, -2, 0]),
      ],
      nodes: [microsoftNode("DynamicQuantizeMatMul", ["x", "w", "s", "z"], ["y"])],
    },
  },
  {
    name: "MatMulIntegerToFloat",
    size: 4,
    relative: 0.01,
    parts: {
      ...microsoft,
      inputs: inputs(4),
      initializers: [
        bytes("w", [4, 3], [40, -40, 20, 1, 2, 3, -4, 5, 6, 7, -33, 9]),
        tensor("s", [3], [0.5, 0.25, 0.125]),
        bytes("z", [3], [1, -2, 0]),
      ],
      nodes: [
        node("DynamicQuantizeLinear", ["x"], ["xq", "xs", "xz"]),
        microsoftNode("MatMulIntegerToFloat", ["xq", "w", "xs", "s", "xz", "z"], ["y"]),
      ],
    },
  },
  ...(
    [
      { bits: 4, width: 32, zero: "packed" },
      { bits: 4, width: 48, zero: "none" },
      { bits: 4, width: 72, zero: "packed" },
      { bits: 4, width: 40, zero: "float" },
      { bits: 8, width: 40, zero: "packed" },
      { bits: 2, width: 72, zero: "packed" },
      { bits: 2, width: 64, zero: "none" },
    ] as const
  ).map(({ bits, width, zero }): Case => {
    const rows = 3;
    const blockSize = 16;
    const blocks = Math.ceil(width / blockSize);
    const blob = (blockSize * bits) / 8;
    const stride = Math.ceil((blocks * bits) / 8);
    const zeros =
      zero === "packed"
        ? [unsigned("z", [rows * stride], drawn(rows * stride, 256))]
        : zero === "float"
          ? [
              tensor(
                "z",
                [rows, blocks],
                drawn(rows * blocks, 16).map((own) => own + 0.5),
              ),
            ]
          : [];
    return {
      name: `MatMulNBits of ${bits} bits, ${width} columns, zero points: ${zero}`,
      size: width,
      parts: {
        ...microsoft,
        inputs: inputs(width),
        initializers: [
          unsigned("w", [rows, blocks, blob], drawn(rows * blocks * blob, 256)),
          scales("s", [rows * blocks]),
          ...zeros,
        ],
        nodes: [
          microsoftNode("MatMulNBits", ["x", "w", "s", ...zeros.map(({ name }) => name!)], ["y"], {
            K: width,
            N: rows,
            bits,
            block_size: blockSize,
          }),
        ],
      },
    };
  }),
  ...[0, 1].map((type): Case => ({
    name: `MatMulBnb4 of type ${type}`,
    size: 32,
    parts: {
      ...microsoft,
      inputs: inputs(32),
      initializers: [unsigned("w", [48], drawn(48, 256)), scales("s", [6])],
      nodes: [
        microsoftNode("MatMulBnb4", ["x", "w", "s"], ["y"], {
          K: 32,
          N: 3,
          block_size: 16,
          quant_type: type,
        }),
      ],
    },
  })),
];
