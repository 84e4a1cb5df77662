import type { Padding, Window } from "../../model/geometry.ts";
import type { NodeReader } from "./nodeReader.ts";

/** The window that a node's attributes declare over `kernel`; null where they state the output's shape instead. */
export function windowOf(
  node: NodeReader,
  kernel: readonly number[],
  { isTransposed = false }: { isTransposed?: boolean } = {},
): Window | null {
  const ones = kernel.map(() => 1);
  const shape = node.ints("output_shape");
  if (kernel.length === 0 || (isTransposed && shape !== null && shape.length > 0)) return null;
  const listed = (name: string): readonly number[] => {
    const own = node.ints(name);
    return own === null || own.length === 0 ? ones : own;
  };
  return {
    kernel,
    strides: listed("strides"),
    dilations: listed("dilations"),
    padding: paddingOf(node, kernel.length),
    ...(node.int("ceil_mode", 0) !== 0 && { roundsUp: true }),
    ...(isTransposed && {
      transposed: { outputPadding: node.ints("output_padding") ?? kernel.map(() => 0) },
    }),
  };
}

function paddingOf(node: NodeReader, axes: number): Padding {
  const auto = node.text("auto_pad", "NOTSET");
  if (auto === "SAME_UPPER") return "same upper";
  if (auto === "SAME_LOWER") return "same lower";
  const pads = auto === "VALID" ? [] : (node.ints("pads") ?? []);
  return Array.from({ length: axes }, (_, i) => [pads[i] ?? 0, pads[i + axes] ?? 0] as const);
}
