/** Max-pooling. All planes of all members and blocks lie in one row, so one call does them all. */
import { numbers, type Tensor } from "../../ir.ts";
import type { Task } from "./fuse.ts";
import { blocksOf, type ProcedurePlan } from "./plan.ts";

export function maxPool2d(plan: ProcedurePlan, { node }: Task): void {
  const [x] = node.inputs as [Tensor];
  const [y, index] = node.outputs as [Tensor, Tensor];
  const [, , channels = 1, ...image] = x.shape;
  const from = plan.lanes(x);
  const to = plan.makeLanes(y, plan.isClean(x));
  const places = plan.makeLanes(index, false);
  const { members, blocks } = blocksOf(x);
  const window = [
    members * blocks * channels,
    ...image,
    ...y.shape.slice(3),
    ...numbers(node.attributes, "size", 2),
    ...numbers(node.attributes, "stride", 2),
    ...numbers(node.attributes, "padding", 2),
  ] as unknown as Window;
  plan.emit(
    ({ kernels }) =>
      () =>
        kernels.maxPool(to.address, places.address, from.address, ...window),
  );
}

export function maxPool2dInput(plan: ProcedurePlan, { node }: Task): void {
  const [gradient, index] = node.inputs as [Tensor, Tensor];
  const [dx] = node.outputs as [Tensor];
  const from = plan.lanes(gradient);
  const places = plan.lanes(index);
  const to = plan.makeLanes(dx, plan.isClean(gradient));
  const { members, blocks } = blocksOf(gradient);
  const [, , channels = 1, height = 1, width = 1] = dx.shape;
  const [outHeight = 1, outWidth = 1] = gradient.shape.slice(3);
  const planes = members * blocks * channels;
  plan.emit(
    ({ kernels }) =>
      () =>
        kernels.maxPoolGradient(
          to.address,
          from.address,
          places.address,
          planes,
          height * width,
          outHeight * outWidth,
        ),
  );
}

/** Planes, and of image, output, size, stride and padding each the vertical and the horizontal. */
type Window = [
  planes: number,
  height: number,
  width: number,
  outHeight: number,
  outWidth: number,
  sizeY: number,
  sizeX: number,
  strideY: number,
  strideX: number,
  padY: number,
  padX: number,
];
