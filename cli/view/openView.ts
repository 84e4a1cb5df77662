import {
  FormatError,
  layeredGraph,
  nodeEdges,
  UsageError,
  viewEpoch,
  viewStructure,
  type LayeredGraph,
  type Model,
  type Series,
  reduceGraph,
} from "../../src/index.ts";
import { viewMeasures } from "./viewMeasures.ts";

export interface ViewSettings {
  /** How many edges to draw, the strongest first; 1 to 200,000. @defaultValue 20000 */
  readonly edgeBudget?: number;
}

/** The documents that the page asks for, as JSON text. */
export interface OpenView {
  /** `weightgraph.view` */
  readonly structure: string;
  readonly epochCount: number;
  readonly nodeCount: number;
  /** `weightgraph.view.epoch`; read, measured and kept on first asking. */
  epoch(index: number): Promise<string>;
  /** `weightgraph.view.node`: the strongest edges of one node in one epoch. */
  neighbours(index: number, node: number): Promise<string>;
}

const mostEdges = 200_000;
/** Epoch documents kept: at the largest budget a few MB each. */
const keptDocuments = 64;
/** Graphs kept for questions about single nodes. */
const keptGraphs = 2;

/**
 * Opens a model, or a series with all its epochs, for viewing. Reads the first snapshot at once, the others when asked.
 * @throws {UsageError} `USAGE_INVALID_OPTION`; {FormatError} `SERIES_EMPTY`, `SERIES_MISMATCH`; those of the reader.
 */
export async function openView(
  shown: Model | Series,
  { edgeBudget = 20_000 }: ViewSettings = {},
): Promise<OpenView> {
  if (!Number.isInteger(edgeBudget) || edgeBudget < 1 || edgeBudget > mostEdges) {
    throw new UsageError(
      "USAGE_INVALID_OPTION",
      `the number of edges must be in 1..${mostEdges}, not ${edgeBudget}`,
      { hint: "More than that is a mesh that no eye can read and no browser draws smoothly." },
    );
  }
  const snapshots = "snapshots" in shown ? shown.snapshots : [];
  const loaders =
    "snapshots" in shown
      ? snapshots.map((snapshot) => () => snapshot.load())
      : [() => Promise.resolve(shown)];
  if (loaders.length === 0) {
    throw new FormatError("SERIES_EMPTY", "the series has no snapshot", { path: [shown.name] });
  }
  const graphs = newest<LayeredGraph>(keptGraphs, async (index) => {
    const graph = await layeredGraph(await loaders[index]!());
    if (index > 0) checkSame(first, graph, snapshots[index]!.name);
    return graph;
  });
  const first = await graphs(0);
  const documents = newest<string>(keptDocuments, async (index) => {
    const graph = await graphs(index);
    return JSON.stringify(
      viewEpoch(graph, index, {
        measures: viewMeasures(graph),
        reduced: reduceGraph(graph, { edgeBudget }),
      }),
    );
  });
  const structure = viewStructure(first, {
    name: shown.name,
    warnings: shown.warnings,
    ...("snapshots" in shown && {
      epochs: snapshots.map(({ epoch, name, metrics }) => ({ epoch, name, metrics })),
    }),
  });
  return {
    structure: JSON.stringify(structure),
    epochCount: loaders.length,
    nodeCount: first.nodeCount,
    epoch: documents,
    async neighbours(index, node) {
      const edges = nodeEdges(await graphs(index), node);
      return JSON.stringify({ schema: "weightgraph.view.node", version: 1, node, ...edges });
    },
  };
}

/** @throws {FormatError} `SERIES_MISMATCH` */
function checkSame(first: LayeredGraph, graph: LayeredGraph, name: string): void {
  const sizes = ({ layers }: LayeredGraph): string => layers.map(({ size }) => size).join(" - ");
  if (sizes(first) === sizes(graph)) return;
  throw new FormatError(
    "SERIES_MISMATCH",
    `layers of ${sizes(graph)} neurons, where the first snapshot has ${sizes(first)}`,
    { path: [name], hint: "Keep the checkpoints of one network per folder." },
  );
}

/** The latest `count` results of `compute`, one computation at a time; a failure is not kept. */
function newest<T>(
  count: number,
  compute: (index: number) => Promise<T>,
): (index: number) => Promise<T> {
  const kept = new Map<number, Promise<T>>();
  let busy: Promise<unknown> = Promise.resolve();
  return (index) => {
    const found = kept.get(index) ?? after(busy, () => compute(index));
    if (!kept.has(index)) busy = found.catch(() => undefined);
    kept.delete(index);
    kept.set(index, found);
    found.catch(() => kept.delete(index));
    for (const oldest of kept.keys()) {
      if (kept.size <= count) break;
      kept.delete(oldest);
    }
    return found;
  };
}

async function after<T>(busy: Promise<unknown>, compute: () => Promise<T>): Promise<T> {
  await busy;
  return compute();
}
