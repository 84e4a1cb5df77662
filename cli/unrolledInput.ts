/** `analyze --graph unrolled`: its flags, its graph, and its size alone with `--dry-run`. */
import type { FlagParametersForType } from "@stricli/core";
import {
  materialiseUnrolled,
  openModel,
  unrolledGraph,
  unrolledSize,
  UsageError,
  type LayeredGraph,
  type Model,
  type ModelWarning,
  type UnrolledOptions,
} from "../src/node.ts";
import { say, sayWarnings, writeJson, type CliContext } from "./context.ts";
import { list, wholeNumber } from "./flags.ts";
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
    brief: "Unrolled: the most edges to lay out (default: 20000000)",
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
export function checkUnrolledFlags(
  { graph, inputShape, maxEdges, dryRun }: UnrolledFlags,
  format: "matrix" | undefined,
): void {
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
}

/**
 * The unrolled graph of a model file, laid out.
 * @throws {WeightGraphError} of the reader; `GRAPH_POSITIONS_UNKNOWN`, `GRAPH_TOO_LARGE`, `SHAPE_MISMATCH`.
 */
export async function readUnrolled(
  context: CliContext,
  file: string,
  flags: UnrolledFlags,
): Promise<{ readonly graph: LayeredGraph; readonly warnings: readonly ModelWarning[] }> {
  const model = await openLayers(context, file);
  const unrolled = await unrolledGraph(model, optionsOf(flags));
  return { graph: materialiseUnrolled(unrolled, limitOf(flags)), warnings: model.warnings };
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
