import type { OnnxAttribute, OnnxGraph, OnnxNode, TensorRecord } from "./schema.ts";

/** A node with its attributes read by name and default. */
export interface NodeReader {
  readonly opType: string;
  readonly domain: string;
  readonly outputs: readonly string[];
  /** For messages. */
  readonly path: readonly (string | number)[];
  int(name: string, otherwise: number): number;
  ints(name: string): readonly number[] | null;
  floats(name: string): readonly number[] | null;
  float(name: string, otherwise: number): number;
  text(name: string, otherwise: string): string;
  tensor(name: string): TensorRecord | null;
  graph(name: string): OnnxGraph | null;
  /** All graphs inside the node, in the order of its attributes. */
  readonly graphs: readonly OnnxGraph[];
  optional(name: string): OnnxAttribute | null;
  /** The attribute `axis` as an index into `rank` axes, negative ones counted from the end. */
  axis(rank: number, otherwise: number): number;
}

/** `caller` answers for the attributes that a function's node refers to. */
export function nodeReader(
  node: OnnxNode,
  path: readonly (string | number)[],
  caller?: NodeReaderSource,
): NodeReader & NodeReaderSource {
  const find: NodeReaderSource["find"] = (name) => {
    const own = node.attributes.get(name);
    return own !== undefined && own.reference !== "" ? caller?.find(own.reference) : own;
  };
  return {
    find,
    opType: node.opType,
    domain: node.domain,
    outputs: node.outputs,
    path,
    int: (name, otherwise) => find(name)?.int ?? otherwise,
    float: (name, otherwise) => find(name)?.float ?? otherwise,
    text: (name, otherwise) => find(name)?.text ?? otherwise,
    ints: (name) => find(name)?.ints ?? null,
    floats: (name) => find(name)?.floats ?? null,
    tensor: (name) => find(name)?.tensor ?? null,
    graph: (name) => find(name)?.graph ?? null,
    graphs: [...node.attributes.values()].flatMap(({ graph }) => graph ?? []),
    optional: (name) => find(name) ?? null,
    axis(rank, otherwise) {
      const axis = find("axis")?.int ?? otherwise;
      return axis < 0 ? axis + rank : axis;
    },
  };
}

/** Looks an attribute up by name. */
export interface NodeReaderSource {
  find(name: string): OnnxAttribute | undefined;
}
