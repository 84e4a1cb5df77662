/**
 * The small language in which training is written: tensors, operations on them, and procedures (lists of operations in
 * order) that share the program's states. Engines run programs and know nothing of models.
 *
 * Every tensor leads with the **population axis** P: many networks of one architecture train together, P = 1 being the
 * ordinary case. Parameters are [P, ...], activations [P, B, ...]; a batch that all members share has a leading 1.
 */
import { EngineError, ShapeError } from "../errors.ts";
import { elementCount, type Shape } from "../tensor/shape.ts";

/** `real` is float32 or float64, as the engine computes; `index` is int32 (class numbers, positions of maxima). */
export type TensorKind = "real" | "index";

export interface TensorType {
  readonly shape: Shape;
  readonly kind: TensorKind;
}

/** A handle: what it holds lies in the engine's memory. */
export interface Tensor extends TensorType {
  /** Unique in its program and rising in order of creation. */
  readonly id: number;
  /**
   * The id of the tensor in whose buffer it lies: its own, unless an operation gave it the buffer of an input. One buffer per
   * distinct `storage` is all that an engine allocates.
   */
  readonly storage: number;
  /** States: `0.weight`, `0.weight/velocity`. Inputs: `images`. Computed: the operation's name. */
  readonly name: string;
  /** `state`: lives on between runs. `input`: written by the caller before a run. `computed`: scratch. */
  readonly origin: "state" | "input" | "computed";
}

export type Attributes = Readonly<Record<string, number | readonly number[]>>;

/** One application of an operation. */
export interface Node {
  readonly operation: Operation;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attributes: Attributes;
}

export type Buffer = Float32Array | Float64Array | Int32Array;

/** What differentiating one node needs to know. */
export interface GradientRequest {
  readonly scope: Scope;
  readonly node: Node;
  /** The loss's gradient with respect to each output; null where the loss does not depend on it. */
  readonly upstream: readonly (Tensor | null)[];
  /** Which inputs' gradients are wanted; the others would be computed in vain. */
  readonly wanted: readonly boolean[];
}

/** A registered part: one file in `ops/` says all there is to know of an operation. */
export interface Operation {
  readonly name: string;
  /** Types of the outputs. @throws {ShapeError} `SHAPE_MISMATCH` */
  infer(inputs: readonly TensorType[], attributes: Attributes): readonly TensorType[];
  /** The gradient for each input, built from other operations; null where unwanted. Absent: not differentiable. */
  gradient?(request: GradientRequest): readonly (Tensor | null)[];
  /** Output i takes the buffer of input `sharing[i]`; null means a buffer of its own. */
  readonly sharing?: readonly (number | null)[];
  /** True if the shared buffers are written to (an optimiser's update), false or absent if they are only seen in a new shape. */
  readonly inPlace?: boolean;
  /**
   * What the operation means, in plain code: reads `inputs`, overwrites every element of `outputs`. The reference engine runs
   * this on float64; another may, on its own buffers, until it has a kernel of its own.
   */
  evaluate(node: Node, inputs: readonly Buffer[], outputs: readonly Buffer[]): void;
}

/** A list of operations, run in order. */
export interface Procedure {
  readonly name: string;
  readonly inputs: readonly Tensor[];
  readonly nodes: readonly Node[];
  /** What the caller may read after a run. */
  readonly outputs: readonly Tensor[];
}

/** Everything an engine compiles at once; its procedures see the same states. */
export interface Program {
  readonly states: readonly Tensor[];
  readonly procedures: readonly Procedure[];
}

/** Where a procedure is written, operation by operation. */
export interface Scope {
  /** A tensor that the caller fills before each run. */
  input(name: string, shape: Shape, kind?: TensorKind): Tensor;
  /**
   * Applies an operation.
   * @throws {ShapeError} `SHAPE_MISMATCH`. @throws {EngineError} `ENGINE_GRAPH` if an input was overwritten in place before,
   * or an in-place operation is given anything but a state.
   */
  apply(
    operation: Operation,
    inputs: readonly Tensor[],
    attributes?: Attributes,
  ): readonly Tensor[];
  /** The nodes so far. */
  readonly nodes: readonly Node[];
}

export interface ProgramBuilder {
  /** A real tensor that lives from run to run, zero until written. @throws {EngineError} `ENGINE_GRAPH` if the name is taken. */
  state(name: string, shape: Shape): Tensor;
  /** Writes a procedure; `body` returns its outputs. */
  procedure<T extends Readonly<Record<string, Tensor>>>(
    name: string,
    body: (scope: Scope) => T,
  ): { readonly procedure: Procedure; readonly outputs: T };
  build(): Program;
}

export function programBuilder(): ProgramBuilder {
  let next = 0;
  const states = new Map<string, Tensor>();
  const procedures = new Map<string, Procedure>();
  const tensor = (
    name: string,
    origin: Tensor["origin"],
    { shape, kind }: TensorType,
    storage = next,
  ): Tensor => {
    elementCount(shape);
    return { id: next++, storage, name, origin, shape, kind };
  };

  const scopeOf = (inputs: Tensor[], nodes: Node[]): Scope => {
    const overwritten = new Map<number, number>();
    const checkReadable = (operation: Operation, { id, storage, name }: Tensor): void => {
      if ((overwritten.get(storage) ?? -1) > id) {
        throw new EngineError("ENGINE_GRAPH", `${operation.name} reads ${name} after its update`);
      }
    };
    return {
      nodes,
      input(name, shape, kind = "real") {
        const made = tensor(name, "input", { shape, kind });
        inputs.push(made);
        return made;
      },
      apply(operation, given, attributes = {}) {
        given.forEach((each) => checkReadable(operation, each));
        const types = operation.infer(given, attributes);
        const outputs = types.map((type, i) => {
          const shared = operation.sharing?.[i] ?? null;
          const owner = shared === null ? undefined : given[shared];
          if (operation.inPlace === true && owner !== undefined && owner.origin !== "state") {
            throw new EngineError(
              "ENGINE_GRAPH",
              `${operation.name} would overwrite ${owner.name}`,
            );
          }
          const origin = operation.inPlace === true && owner !== undefined ? "state" : "computed";
          const name = origin === "state" && owner !== undefined ? owner.name : operation.name;
          return tensor(name, origin, type, owner?.storage);
        });
        if (operation.inPlace === true) {
          for (const { storage, id } of outputs) overwritten.set(storage, id);
        }
        nodes.push({ operation, inputs: given, outputs, attributes });
        return outputs;
      },
    };
  };

  return {
    state(name, shape) {
      if (states.has(name)) throw new EngineError("ENGINE_GRAPH", `two states are named ${name}`);
      const made = tensor(name, "state", { shape, kind: "real" });
      states.set(name, made);
      return made;
    },
    procedure(name, body) {
      if (procedures.has(name)) {
        throw new EngineError("ENGINE_GRAPH", `two procedures are named ${name}`);
      }
      const inputs: Tensor[] = [];
      const nodes: Node[] = [];
      const outputs = body(scopeOf(inputs, nodes));
      const procedure = { name, inputs, nodes, outputs: Object.values(outputs) };
      procedures.set(name, procedure);
      return { procedure, outputs };
    },
    build() {
      return { states: [...states.values()], procedures: [...procedures.values()] };
    },
  };
}

/** The numbers of a list-valued attribute. @throws {EngineError} `ENGINE_GRAPH` unless there are `length` of them. */
export function numbers(attributes: Attributes, name: string, length?: number): readonly number[] {
  const value = attributes[name];
  if (typeof value !== "object" || (length !== undefined && value.length !== length)) {
    throw new EngineError("ENGINE_GRAPH", `attribute ${name} must be a list of ${length} numbers`);
  }
  return value;
}

/** @throws {ShapeError} `SHAPE_MISMATCH` with `what` it was about, unless `holds`. */
export function requireShape(holds: boolean, what: string, ...shapes: readonly Shape[]): void {
  if (holds) return;
  const seen = shapes.map((shape) => `[${shape.join(", ")}]`).join(" and ");
  throw new ShapeError("SHAPE_MISMATCH", `${what}, not ${seen}`);
}
