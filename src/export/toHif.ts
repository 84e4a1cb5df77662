/** The hypergraph of `hypercoreNumber` as JSON in the Hypergraph Interchange Format, which XGI, HyperNetX and others read. */
import { UsageError } from "../errors.ts";
import type { TapReduction } from "../graph/block.ts";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import { exportedNodes, withinBudget, type ExportOptions } from "./exportedGraph.ts";

export interface HifOptions extends Omit<ExportOptions, "weight" | "edgeAttributes"> {
  /** `in`: sending neurons are vertices, receiving ones hyperedges; `out`: the reverse. @defaultValue "in" */
  readonly side?: "in" | "out";
  /** Which weights connect, and what an incidence weighs; `signed` are sums of taps. @defaultValue "absolute" */
  readonly sign?: HifSign;
}

type HifSign = "absolute" | "positive" | "negative" | "signed";

const tapsOf: Readonly<Record<HifSign, TapReduction>> = {
  absolute: "absoluteSum",
  positive: "positiveSum",
  negative: "negativeSum",
  signed: "sum",
};

/** A JSON value of the standard: only `incidences` is required, ids are whole numbers or strings, `attrs` are free. */
export interface HifDocument {
  readonly "network-type": "undirected";
  readonly metadata: HifFacts;
  /** The vertices, those in no hyperedge too; `node` is the node's number. */
  readonly nodes: readonly { readonly node: number; readonly attrs: HifAttributes }[];
  /** The hyperedges, empty ones too; `edge` is the number of the node that it stands for. */
  readonly edges: readonly { readonly edge: number; readonly attrs: HifAttributes }[];
  /** At most one for each pair. */
  readonly incidences: readonly {
    readonly edge: number;
    readonly node: number;
    readonly weight: number;
  }[];
}

/** `label` (`layer[index]`), `layer`, `rank`, `index`, and the measures that have a value. */
export type HifAttributes = Readonly<Record<string, string | number>>;

export interface HifFacts {
  readonly creator: "weightgraph";
  readonly name: string;
  readonly certainty: LayeredGraph["certainty"];
  readonly side: "in" | "out";
  readonly sign: HifSign;
  /** What was done to the weights before, in order. */
  readonly transforms: LayeredGraph["transforms"];
  /** Edges of the graph, zero weights included. */
  readonly edges: number;
  /** Edges that became incidences; parallel ones become one together. */
  readonly keptEdges: number;
  /** Sum of |weight| over these, divided by that over all edges of this sign. */
  readonly keptShare: number;
}

/**
 * The hypergraph in which neurons of one side are vertices and each neuron of the other is a hyperedge of all it is connected to.
 * An incidence weighs what `hypercoreNumber` adds up: the parts of one sign over all taps and parallel blocks; zeros join nothing.
 * Without a reduction a vertex's incidences therefore sum up to its strength of that sign.
 * Cost: one pass over the weights; about 200 bytes an incidence, hence the budget.
 * Source: Coll et al. 2025, doi 10.1017/nws.2025.10018, and the JSON schema of HIF-org/HIF-standard.
 * @throws {GraphError} `GRAPH_TOO_LARGE`; {ShapeError} `SHAPE_MISMATCH`; {UsageError} `USAGE_INVALID_OPTION`
 */
export function toHif(graph: LayeredGraph, options: HifOptions = {}): HifDocument {
  const { side = "in", sign = "absolute", measures = {} } = options;
  if (side !== "in" && side !== "out") throw unknownChoice("side", side, ["in", "out"]);
  if (!Object.hasOwn(tapsOf, sign)) throw unknownChoice("sign", sign, Object.keys(tapsOf));
  const { from, to, weight, keptShare } = withinBudget(graph, options, tapsOf[sign]);
  const [vertexOf, hyperedgeOf] = side === "in" ? [from, to] : [to, from];

  const weights = new Map<string, { edge: number; node: number; weight: number }>();
  weight.forEach((value, i) => {
    const [edge, node] = [hyperedgeOf[i]!, vertexOf[i]!];
    const key = `${edge} ${node}`;
    const known = weights.get(key);
    if (known === undefined) weights.set(key, { edge, node, weight: value });
    else known.weight += value;
  });

  const described = exportedNodes(graph, measures).map(({ x: _x, y: _y, ...attrs }) => attrs);
  const senders = new Set(graph.blocks.flatMap(({ columnNodes }) => [...columnNodes]));
  const receivers = new Set(graph.blocks.flatMap(({ rowNodes }) => [...rowNodes]));
  const [vertices, hyperedges] = side === "in" ? [senders, receivers] : [receivers, senders];
  const named = described.map((attrs, number) => ({ number, attrs }));
  return {
    "network-type": "undirected",
    metadata: {
      creator: "weightgraph",
      name: graph.name,
      certainty: graph.certainty,
      side,
      sign,
      transforms: graph.transforms,
      edges: graph.edgeCount,
      keptEdges: weight.length,
      keptShare,
    },
    nodes: named
      .filter(({ number }) => vertices.has(number))
      .map(({ number, attrs }) => ({ node: number, attrs })),
    edges: named
      .filter(({ number }) => hyperedges.has(number))
      .map(({ number, attrs }) => ({ edge: number, attrs })),
    incidences: [...weights.values()].filter((incidence) => incidence.weight !== 0),
  };
}

function unknownChoice(name: string, value: unknown, choices: readonly string[]): UsageError {
  return new UsageError(
    "USAGE_INVALID_OPTION",
    `${name} must be one of ${choices.join(", ")}, not ${JSON.stringify(value)}`,
    { path: [name] },
  );
}
