import { requireShape, type Operation } from "../ir.ts";
import { sameShape } from "../../tensor/shape.ts";

/** What an operation on each element by itself has to say; the rest follows. */
export interface Elementwise {
  readonly name: string;
  /** `b` is 0 where the operation takes one input. */
  readonly of: (a: number, b: number) => number;
  readonly gradient?: Operation["gradient"];
}

/** An operation on one tensor, or on two of the same shape, element by element. Cost: one pass. */
export function elementwise(arity: 1 | 2, { name, of, gradient }: Elementwise): Operation {
  return {
    name,
    infer([a, b]) {
      requireShape(a !== undefined && (arity === 1 || b !== undefined), `${name} takes ${arity}`);
      const shapes = [a!.shape, (b ?? a!).shape] as const;
      requireShape(sameShape(...shapes), `${name} takes equal shapes`, ...shapes);
      return [{ shape: a!.shape, kind: "real" }];
    },
    ...(gradient && { gradient }),
    evaluate(_node, [a, b], [out]) {
      if (arity === 1) for (let i = 0; i < out!.length; i++) out![i] = of(a![i]!, 0);
      else for (let i = 0; i < out!.length; i++) out![i] = of(a![i]!, b![i]!);
    },
  };
}
