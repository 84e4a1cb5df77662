import { requireShape, type TensorType } from "../ir.ts";
import { sameShape } from "../../tensor/shape.ts";

/**
 * Types of an optimiser's outputs: the parameter and what is remembered of it. Inputs: parameter, gradient, memories, settings.
 * @throws {ShapeError} `SHAPE_MISMATCH` unless all but the settings have one shape, and those are [P, columns].
 */
export function updateTypes(
  what: string,
  inputs: readonly TensorType[],
  columns: number,
): readonly TensorType[] {
  const settings = inputs.at(-1)!;
  const [parameter, gradient, ...memories] = inputs.slice(0, -1);
  for (const { shape } of [gradient!, ...memories]) {
    requireShape(sameShape(shape, parameter!.shape), `${what} takes one shape`, shape);
  }
  const wanted = [parameter!.shape[0]!, columns];
  requireShape(sameShape(settings.shape, wanted), `${what} takes settings [P, ${columns}]`, wanted);
  return [parameter!, ...memories].map(({ shape }) => ({ shape, kind: "real" }));
}
