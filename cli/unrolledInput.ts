/** `analyze --graph unrolled`: its flags, its graph, and its size alone with `--dry-run`. */
import type { FlagParametersForType } from "@stricli/core";
import {
  connectedComponents,
  defaultMaxEdges,
  materialiseUnrolled,
  openModel,
  unrolledGraph,
  unrolledMeasure,
  unrolledSize,
  UsageError,
  type Components,
  type LayeredGraph,
  type Measure,
  type MeasureResult,
  type Model,
  type ModelWarning,
  type ParameterValues,
  type UnrolledLayer,
  type UnrolledOptions,
} from "../src/node.ts";
import { say, sayWarnings, writeJson, type CliContext } from "./context.ts";
import { list, wholeNumber } from "./flags.ts";
import { withGraphFlags, type GraphFlags } from "./graphFlags.ts";
import type { GraphInputFlags } from "./graphInput.ts";
import { checkInput, requireLayers } from "./input.ts";
import { numberText, printable, renderTable } from "./render.ts";

export interface UnrolledFlags {
  readonly graph: "rolled" | "unrolled";
  readonly inputShape?: readonly number[];
  readonly maxEdges?: number;
  readonly dryRun: boolean;
}

export const unrolledFlags: FlagParametersForType<UnrolledFlags> = {
  graph: {
    kind: "enum",
    values: ["rolled", "unrolled"],
    brief: "A node per channel or unit, or one per activation",
    default: "rolled",
  },
  inputShape: {
    kind: "parsed",
    parse: (text: string): readonly number[] => list(text).map(wholeNumber),
    brief: "Unrolled: channels and positions of the input, where the file leaves them open",
    placeholder: "3,32,32",
    optional: true,
  },
  maxEdges: {
    kind: "parsed",
    parse: wholeNumber,
    brief: `Unrolled: the most edges to lay out (default: ${defaultMaxEdges})`,
    placeholder: "N",
    optional: true,
  },
  dryRun: {
    kind: "boolean",
    brief: "Unrolled: print how large the graph would be, and read no weight",
    default: false,
  },
};

/** @throws {UsageError} `USAGE_INVALID_OPTION` for flags of an unrolled graph with a rolled one, or with a matrix. */
export function checkUnrolledFlags({
  graph,
  inputShape,
  maxEdges,
  dryRun,
  format,
  transform = [],
}: UnrolledFlags & GraphInputFlags): void {
  const isUnrolled = graph === "unrolled";
  const isOther = inputShape !== undefined || maxEdges !== undefined || dryRun;
  if (!isUnrolled && isOther) {
    throw new UsageError(
      "USAGE_INVALID_OPTION",
      "--input-shape, --max-edges and --dry-run are of --graph unrolled only",
    );
  }
  if (isUnrolled && format === "matrix") {
    throw new UsageError("USAGE_INVALID_OPTION", "a matrix has no positions to unroll");
  }
  const ofBlocks = transform.find((one) => /^(layerNorm|top)(=|$)/.test(one));
  if (isUnrolled && ofBlocks !== undefined) {
    throw new UsageError(
      "USAGE_INVALID_OPTION",
      `${ofBlocks} is of whole layers, which an unrolled graph repeats at every position`,
    );
  }
}

/** A graph to measure. */
export interface MeasurableGraph {
  /** For names and sizes. */
  readonly graph: LayeredGraph;
  /** A rolled graph before its edges were weighed and transformed. */
  readonly asRead?: LayeredGraph;
  /** Channels and positions of an unrolled graph's layers, for JSON. */
  readonly layers?: readonly Pick<UnrolledLayer, "name" | "size" | "channels" | "positions">[];
  readonly warnings: readonly ModelWarning[];
  /** Null where edges are not laid out. */
  readonly components: Components | null;
  readonly run: (measure: Measure, given: ParameterValues | undefined) => MeasureResult;
}

/** A graph whose edges are laid out. */
export function measurable(
  graph: LayeredGraph,
  warnings: readonly ModelWarning[],
): MeasurableGraph {
  return {
    graph,
    warnings,
    components: connectedComponents(graph),
    run: (measure, given) => measure.run(graph, given),
  };
}

/**
 * The unrolled graph of a model file: laid out, or above the limit of edges as far as measures need none.
 * @throws {WeightGraphError} of the reader; `GRAPH_POSITIONS_UNKNOWN`, `SHAPE_MISMATCH`, `GRAPH_TOO_LARGE`, the last of a measure
 * too.
 */
export async function readUnrolled(
  context: CliContext,
  file: string,
  flags: UnrolledFlags & GraphFlags,
): Promise<MeasurableGraph> {
  if (flags.biasNodes || flags.foldNorm || flags.normNodes || flags.heads || flags.recurrent) {
    throw new UsageError(
      "USAGE_INVALID_OPTION",
      "--bias-nodes, --fold-norm, --norm-nodes, --heads and --recurrent are of rolled graphs only",
    );
  }
  const model = await openLayers(context, file);
  const unrolled = await unrolledGraph(model, optionsOf(flags));
  const { name, layers, nodeCount, edgeCount, certainty } = unrolled;
  const layOut = (): LayeredGraph => materialiseUnrolled(unrolled, limitOf(flags));
  const shapes = layers.map(({ offset: _offset, ...layer }) => layer);
  const isSmall = Math.max(nodeCount, edgeCount) <= (flags.maxEdges ?? defaultMaxEdges);
  if (isSmall || flags.transform !== undefined) {
    return { ...measurable(withGraphFlags(layOut(), flags), model.warnings), layers: shapes };
  }
  const { edgeWeight } = flags;
  const sizes = { name, layers, nodeCount, edgeCount, certainty };
  const graph = { ...sizes, blocks: [], recurrentBlocks: [], edgeWeight, transforms: [] };
  return {
    graph,
    layers: shapes,
    warnings: model.warnings,
    components: null,
    run(measure, given) {
      const own = unrolledMeasure(measure, unrolled);
      return own === null ? measure.run(layOut(), given) : own.run(graph, given);
    },
  };
}

/** Prints the size of the unrolled graph and nothing else. */
export async function printUnrolledSize(
  context: CliContext,
  file: string,
  flags: UnrolledFlags & { readonly json: boolean },
): Promise<void> {
  const model = await openLayers(context, file);
  const { nodes, edges, bytes, layers, links } = unrolledSize(model, optionsOf(flags));
  if (flags.json) {
    const schema = { schema: "weightgraph.unrolledSize", version: 1 };
    const graph = { name: model.name, topology: model.topology.certainty };
    writeJson(context, {
      ...schema,
      graph,
      nodes,
      edges,
      bytes,
      layers,
      links,
      warnings: model.warnings,
    });
    return;
  }
  const tables = [
    renderTable(
      ["layer", "channels", "positions", "nodes"],
      layers.map((layer) => [
        layer.name,
        layer.channels,
        layer.positions.length === 0 ? "–" : layer.positions.join(" x "),
        layer.nodes,
      ]),
    ),
    renderTable(
      ["edges of", "kind", "edges", "bytes"],
      links.map((link) => [link.name, link.kind, link.edges, link.bytes]),
    ),
  ];
  context.process.stdout.write(`${tables.join("\n\n")}\n`);
  const size = `${numberText(nodes)} nodes, ${numberText(edges)} edges, ${numberText(bytes)} bytes as a list of edges`;
  say(context, `${printable(model.name)}, unrolled: ${size}`);
  sayWarnings(context, model.warnings);
}

async function openLayers(context: CliContext, file: string): Promise<Model> {
  await checkInput(file);
  const model = await openModel(file, context.limits);
  requireLayers(model);
  return model;
}

function optionsOf({ inputShape }: UnrolledFlags): UnrolledOptions {
  return inputShape === undefined ? {} : { inputShape };
}

function limitOf({ maxEdges }: UnrolledFlags): { maxEdges?: number } {
  return maxEdges === undefined ? {} : { maxEdges };
}
