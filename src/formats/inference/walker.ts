/** What rules share: the plan, facts about the whole file, and the way down into a module. */
import type { Weight, ModuleNode } from "./moduleTree.ts";
import type { Basis, Plan, Signal } from "./signal.ts";

/** What a configuration beside the weights, or inside the file, says of attention; one of a vision or text part, of that. */
export interface AttentionHints {
  readonly heads?: number;
  readonly headSize?: number;
  /** Width of the stream that its attention layers read. */
  readonly width?: number;
}

export interface Scope {
  /** What the wires of a module's own weights rest on. */
  readonly basis: Basis;
  /** Width that the module after this one takes in, where known. */
  readonly expect: number | null;
  /** What an encoder put out, for cross attention. */
  readonly memory: Signal | null;
  /** Outputs that a decoder's concatenation may still take, oldest first. */
  readonly taps: readonly Signal[];
}

export interface Facts {
  readonly hints: readonly AttentionHints[];
  /** True where a weight's rows send: a matrix stored [in, out], a transposed convolution. `senders`: neurons before it. */
  readonly rowsSend: (weight: Weight, node: ModuleNode, senders: number | null) => boolean;
  /** True where modules of this build are known to stand beside a shortcut. */
  readonly isResidual: (node: ModuleNode) => boolean;
  /** True where the file is sorted by name, so that the order of branches is lost. */
  readonly isSorted: boolean;
}

export interface Walker {
  readonly plan: Plan;
  readonly facts: Facts;
  /** What the module puts out, or null if it does not read `from`. */
  fit(node: ModuleNode, from: Signal, scope: Scope): Signal | null;
  /** Its children one after another. */
  sequence(node: ModuleNode, from: Signal, scope: Scope): Signal | null;
  /** Outputs of modules that have been walked. */
  readonly outputs: Map<ModuleNode, Signal>;
  /** What the last pooler put out. */
  pooled: Signal | null;
  /** What the network is told beside its input, as its embedding puts it out. */
  condition: Signal | null;
  /** What cross attention reads where no part of the network puts it out, by width. */
  readonly contexts: Map<number, Signal>;
}

export type Rule = (node: ModuleNode, from: Signal, walker: Walker, scope: Scope) => Signal | null;
