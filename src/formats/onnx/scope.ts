import { freshAxis, type Activation } from "./activation.ts";
import type { Collector } from "./collector.ts";
import type { Place } from "./place.ts";
import type { NodeReaderSource } from "./nodeReader.ts";
import type { Value } from "./operator.ts";
import type { OnnxGraph, OnnxInput, OnnxNode } from "./schema.ts";

/** Names and their values; a graph inside a node sees those around it. */
export interface Scope {
  readonly values: Map<string, Value>;
  /** Where activations stand, as far as positions are followed. */
  readonly places: Map<string, Place>;
  readonly outer: Scope | null;
  readonly depth: number;
  /** Nodes of this graph by what they make and by what they read. */
  readonly producers: ReadonlyMap<string, OnnxNode>;
  readonly consumers: ReadonlyMap<string, readonly OnnxNode[]>;
  /** The call whose function body this is. */
  readonly caller?: NodeReaderSource;
}

export interface Walk {
  readonly collect: Collector;
  /** Walks a graph inside a node; `inputs` are the values of its own inputs. */
  graph(
    graph: OnnxGraph,
    outer: Scope,
    inputs: readonly (Value | undefined)[],
  ): Promise<readonly (Value | undefined)[]>;
}

/** An input of which nothing is known but what the file declares: its neurons are those that its first reader asks for. */
export function openInput({ name, shape }: OnnxInput): Activation {
  return {
    kind: "activation",
    axes: shape && shape.map(freshAxis),
    ids: null,
    open: { name, taken: new Map() },
  };
}
