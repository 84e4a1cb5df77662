/** A stored weight as the operand of an ONNX operator: as it is where it fits, else cast, reshaped and transposed. */
import type { StoredTensor, WeightLayer } from "../../model/model.ts";
import type { DType } from "../../tensor/dtype.ts";
import type { AxisRole, WeightLayout } from "../../tensor/layout.ts";
import { encodeTensor } from "../../tensor/encode.ts";
import { sameShape, type Shape } from "../../tensor/shape.ts";
import type { WrittenNode, WrittenTensor } from "./writeProto.ts";

export interface GraphOptions {
  /** Of everything that flows. */
  readonly dtype: DType;
  /** A name that nothing else has. */
  readonly unique: (name: string) => string;
  /** The bias of a layer, if it has one that is written. */
  readonly biasOf: (layer: WeightLayer) => StoredTensor | null;
  /** As what type a tensor is written. */
  readonly typeOf: (tensor: StoredTensor) => DType;
}

export interface Operand {
  /** What the operator reads. */
  readonly name: string;
  readonly opType: string;
  readonly attributes: NonNullable<WrittenNode["attributes"]>;
  /** Axes of the kernel. */
  readonly spatial: number;
  /** What makes the operand of the stored tensor. */
  readonly nodes: readonly WrittenNode[];
  readonly tensors: readonly WrittenTensor[];
}

const codes: Readonly<Partial<Record<DType, number>>> = { float32: 1, float16: 10, float64: 11 };

/** Null for a layout that the operator cannot take. */
export function weightOperand(
  layer: WeightLayer,
  kind: "dense" | "conv" | "embedding",
  options: GraphOptions,
): Operand | null {
  const { layout } = layer;
  const steps = operandSteps(layer, options);
  if (kind === "embedding") {
    if (layout.taps !== 1 || layout.groups !== 1) return null;
    steps.arrange(["in", "out"], [layout.inPerGroup, layout.outPerGroup]);
    return steps.operand({ opType: "Gather", spatial: 0, attributes: { axis: 0 } });
  }
  if (kind === "dense") {
    if (layout.taps !== 1 || layout.groups !== 1) return null;
    const isRows = isInOrder(layout, ["out", "in"]);
    const sizes = [layout.outPerGroup, layout.inPerGroup];
    if (isRows) steps.arrange(["out", "in"], sizes);
    else steps.arrange(["in", "out"], sizes.toReversed());
    return steps.operand({ opType: "Gemm", spatial: 0, attributes: isRows ? { transB: 1 } : {} });
  }
  const kernel = layout.split.filter((_, axis) => layout.roles[axis] === "tap");
  if (kernel.length < 1 || kernel.length > 3) return null;
  const isTransposed = layer.kind === "conv_transpose";
  const { groups, outPerGroup, inPerGroup } = layout;
  if (isTransposed)
    steps.arrange(["group", "in", "out", "tap"], [groups * inPerGroup, outPerGroup, ...kernel]);
  else steps.arrange(["group", "out", "in", "tap"], [groups * outPerGroup, inPerGroup, ...kernel]);
  return steps.operand({
    opType: isTransposed ? "ConvTranspose" : "Conv",
    spatial: kernel.length,
    attributes: { kernel_shape: kernel, group: groups, auto_pad: "SAME_UPPER" },
  });
}

/** True when the axes longer than 1 have these roles, in this order. */
function isInOrder({ split, roles }: WeightLayout, order: readonly AxisRole[]): boolean {
  const places = roles.filter((_, axis) => split[axis] !== 1).map((role) => order.indexOf(role));
  return places.every((place, i) => place >= 0 && (i === 0 || places[i - 1]! <= place));
}

function operandSteps({ tensor, layout }: WeightLayer, { dtype, typeOf, unique }: GraphOptions) {
  const nodes: WrittenNode[] = [];
  const tensors: WrittenTensor[] = [];
  let { name } = tensor;
  let shape: Shape = tensor.shape;
  const add = (
    opType: string,
    more: Omit<WrittenNode, "opType" | "outputs" | "inputs"> & { second?: string },
  ): void => {
    const output = unique(`${tensor.name}/${opType.toLowerCase()}`);
    const { second, ...rest } = more;
    const inputs = second === undefined ? [name] : [name, second];
    nodes.push({ opType, inputs, outputs: [output], ...rest });
    name = output;
  };
  const reshape = (to: Shape): void => {
    if (sameShape(shape, to)) return;
    const second = unique(`${tensor.name}/shape`);
    const bytes = encodeTensor(Float64Array.from(to), "int64");
    tensors.push({
      name: second,
      dtype: "int64",
      shape: [to.length],
      pieces: [{ kind: "bytes", bytes }],
    });
    add("Reshape", { second });
    shape = to;
  };
  return {
    /** Axes in the order of `roles`, then as the shape `to`. */
    arrange(roles: readonly AxisRole[], to: Shape): void {
      if (typeOf(tensor) !== dtype) add("Cast", { attributes: { to: codes[dtype]! } });
      if (!isInOrder(layout, roles)) {
        reshape(layout.split);
        const perm = roles.flatMap((role) =>
          Array.from(layout.roles.keys()).filter((axis) => layout.roles[axis] === role),
        );
        const rest = Array.from(layout.roles.keys()).filter((axis) => !perm.includes(axis));
        const order = [...perm, ...rest];
        add("Transpose", { attributes: { perm: order } });
        shape = order.map((axis) => layout.split[axis]!);
      }
      reshape(to);
    },
    operand: (parts: Pick<Operand, "opType" | "spatial" | "attributes">): Operand => ({
      name,
      nodes,
      tensors,
      ...parts,
    }),
  };
}
