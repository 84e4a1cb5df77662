/** Neurons on an axis that a reshape parted, [heads, places in a head]: choosing some of them along either factor. */
import type { NeuronTracer } from "../../model/neuronTracer.ts";
import type { Flow, Part } from "./graphValues.ts";

/** Slices that one choice may be put together of. */
const maxSlices = 4096;

/** Neurons that a flow may have: sizes in a file are only numbers until something is allocated for them. */
export const maxNeurons: number = 2 ** 22;

/** Sizes of all factors, the inner one last; null where the neurons are not numbered yet. */
export function partSizes({ activation, outer }: Flow): number[] | null {
  const count = activation.neurons.ids?.length ?? activation.neurons.size;
  const sizes = outer.map(({ size }) => size);
  const inner = (count ?? NaN) / sizes.reduce((product, size) => product * size, 1);
  return Number.isSafeInteger(inner) ? [...sizes, inner] : null;
}

/** Which factor lies on the axis `back`: an index into `partSizes`; -1 where none does. */
export function partAt({ back, outer }: Flow, wanted: number | null): number {
  if (wanted === null) return -1;
  return back === wanted ? outer.length : outer.findIndex((part) => part.back === wanted);
}

/** The neurons of [start, end) along a factor, which keeps its axis; null where they cannot be told. */
export function selectPart(
  flow: Flow,
  { part, start, end }: { part: number; start: number; end: number },
  tracer: NeuronTracer,
): Flow | null {
  const sizes = partSizes(flow);
  const size = sizes?.[part];
  if (sizes === null || size === undefined || flow.activation.flat !== null) return null;
  if (start === 0 && end === size) return flow;
  if (start < 0 || end > size || end < start) return null;
  const count = product(sizes.slice(0, part));
  const stride = product(sizes.slice(part + 1));
  if (count > maxSlices) return null;
  const slices = Array.from({ length: count }, (_, i) =>
    tracer.slice(flow.activation, (i * size + start) * stride, (i * size + end) * stride),
  );
  const activation =
    count === 1 ? slices[0]! : tracer.concatenate(flow.activation.neurons.name, slices);
  const outer = flow.outer.map((own, i): Part =>
    i === part ? { ...own, size: end - start } : own,
  );
  return { ...flow, activation, outer };
}

/** One index along a factor, whose axis is gone then; the axes behind it keep their place. Null where no neurons are left. */
export function takePart(
  flow: Flow,
  { part, index }: { part: number; index: number },
  tracer: NeuronTracer,
): Flow | null {
  const chosen = selectPart(flow, { part, start: index, end: index + 1 }, tracer);
  if (chosen === null) return null;
  const gone = part === chosen.outer.length ? chosen.back : chosen.outer[part]!.back;
  const parts = [...chosen.outer, { back: chosen.back, size: 1 }].toSpliced(part, 1);
  const inner = parts.at(-1);
  if (inner === undefined || inner.back === null || gone === null) return null;
  const shifted = (back: number): number => (back > gone ? back - 1 : back);
  return {
    ...chosen,
    back: shifted(inner.back),
    outer: parts.slice(0, -1).map(({ back, size }) => ({
      back: back === null ? null : shifted(back),
      size,
    })),
    rank: chosen.rank === null ? null : chosen.rank - 1,
  };
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}
