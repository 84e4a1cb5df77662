import { elementCount } from "../tensor/shape.ts";
import type { Model, StoredTensor, TensorRole } from "./model.ts";

/** How much of a file the weight layers explain. Counts are of elements, shared ones once. */
export interface Coverage {
  /** Every stored element, constants left out. */
  readonly parameters: number;
  /** Explained: in a weight layer, or known as a bias or a normalisation. */
  readonly explained: number;
  /** explained / parameters; 1 for a file without parameters. */
  readonly share: number;
  readonly weights: number;
  readonly biases: number;
  readonly normalisation: number;
  /** Shapes, indices, tables: stored, but no parameters. */
  readonly constants: number;
  /** Tensors that nothing explains, largest first. */
  readonly unexplained: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

export function coverageOf(model: Model): Coverage {
  const own = model.tensors.filter((tensor) => tensor.sharesWith === undefined);
  const count = (role: TensorRole): number =>
    own.reduce((sum, tensor) => (tensor.role === role ? sum + sizeOf(tensor) : sum), 0);
  const weights = count("weight");
  const biases = count("bias");
  const normalisation = count("normalisation");
  const parameters = weights + biases + normalisation + count("unknown");
  const explained = weights + biases + normalisation;
  return {
    parameters,
    explained,
    share: parameters === 0 ? 1 : explained / parameters,
    weights,
    biases,
    normalisation,
    constants: count("constant"),
    unexplained: own
      .filter((tensor) => tensor.role === "unknown")
      .sort((a, b) => sizeOf(b) - sizeOf(a))
      .map(({ name, shape }) => ({ name, shape })),
  };
}

function sizeOf(tensor: StoredTensor): number {
  return elementCount(tensor.shape);
}
