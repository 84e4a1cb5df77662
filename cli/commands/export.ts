import { buildCommand, type Command } from "@stricli/core";
import { extname } from "node:path";
import { UsageError, type HifOptions } from "../../src/node.ts";
import { say, sayWarnings, writeJson, type CliContext } from "../context.ts";
import {
  exportTargets,
  tableTargets,
  type Exported,
  type ExportTarget,
  type TargetOptions,
} from "../exportTargets.ts";
import { formatFlag, jsonFlag, list, wholeNumber } from "../flags.ts";
import { graphFlags, withGraphFlags } from "../graphFlags.ts";
import { readGraph, type GraphInputFlags } from "../graphInput.ts";
import { chosenNodeMeasures } from "../measureFlags.ts";
import { numberText, percentText, printable } from "../render.ts";
import { writeOutputs, type OutputFile } from "../writing.ts";

interface Flags extends GraphInputFlags {
  readonly json: boolean;
  readonly to: ExportTarget;
  readonly type: "directed" | "undirected";
  readonly side?: NonNullable<HifOptions["side"]>;
  readonly sign?: NonNullable<HifOptions["sign"]>;
  readonly edges: number;
  readonly reduce: boolean;
  readonly edgeAttributes: boolean;
  readonly measures: readonly string[];
  readonly out?: string;
  readonly force: boolean;
}

export const exportCommand: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  docs: {
    brief: "Hand the graph to other tools: graphology JSON, GEXF, HIF, CSV, Parquet, Arrow",
    fullDescription:
      "Writes the layered graph, with measures as node attributes, to stdout or --out. csv, parquet and arrow are two files: " +
      "--out net.parquet writes net.nodes.parquet and net.edges.parquet. A graph with more edges than --edges is " +
      "refused, unless --reduce lets it keep its strongest edges; the share of |w| kept is stated.",
  },
  parameters: {
    flags: {
      json: jsonFlag,
      format: formatFlag,
      ...graphFlags,
      to: {
        kind: "enum",
        values: Object.keys(exportTargets) as ExportTarget[],
        brief:
          "graphology JSON, GEXF 1.3 or 1.2 (for networkx), HIF JSON of the hypergraph, a CSV table of nodes or edges, or both tables as CSV, Parquet or Arrow",
        default: "graphology",
      },
      type: {
        kind: "enum",
        values: ["directed", "undirected"],
        brief: "Direction of edges in graphology and GEXF",
        default: "directed",
      },
      side: {
        kind: "enum",
        values: ["in", "out"],
        brief: "HIF: whose neurons are hyperedges, the receiving ones (in) or the sending ones",
        optional: true,
      },
      sign: {
        kind: "enum",
        values: ["absolute", "positive", "negative", "signed"],
        brief: "HIF: which weights connect",
        optional: true,
      },
      edges: {
        kind: "parsed",
        parse: wholeNumber,
        brief: "The most edges to hand over",
        default: "200000",
        placeholder: "N",
      },
      reduce: {
        kind: "boolean",
        brief: "Keep the strongest edges of a larger graph instead of refusing it",
        default: false,
      },
      edgeAttributes: {
        kind: "boolean",
        brief: "Tell of each edge its kind, taps, sums of positive and negative taps, and norm",
        default: false,
      },
      measures: {
        kind: "parsed",
        parse: list,
        brief: "Measures to add to the nodes, separated by commas",
        default: "strength,degree",
        placeholder: "a,b",
      },
      out: {
        kind: "parsed",
        parse: String,
        brief: "File to write instead of stdout",
        placeholder: "FILE",
        optional: true,
      },
      force: { kind: "boolean", brief: "Overwrite an existing output file", default: false },
    },
    positional: {
      kind: "tuple",
      parameters: [{ brief: "Model file, or - for stdin", parse: String, placeholder: "FILE" }],
    },
  },
  async func({ json, to, out, force, ...flags }, file) {
    checkFlags(to, out, flags);
    const { graph: read, warnings } = await readGraph(this, file, flags);
    const graph = withGraphFlags(read, flags);
    const { type, side, sign, edges, reduce, edgeAttributes } = flags;
    const measures = Object.fromEntries(
      chosenNodeMeasures(flags.measures).map(({ id, run }) => [id, run(graph).nodes]),
    );
    const hypergraph = { ...(side && { side }), ...(sign && { sign }) };
    const options: TargetOptions = {
      type,
      edgeBudget: edges,
      reduce,
      edgeAttributes,
      measures,
      ...hypergraph,
    };
    const exported = await exportTargets[to](graph, options);
    const { facts } = exported;
    const files = out === undefined ? [] : filesOf(exported, out, file);
    await writeOutputs(this, files, { force, dryRun: false });
    if (json) {
      const written = files.map(({ path }) => path);
      const body = out === undefined ? { content: exported.content } : { written };
      writeJson(this, { schema: "weightgraph.export", version: 1, to, facts, ...body, warnings });
      return;
    }
    if (out === undefined) {
      const text = textOf(exported);
      this.process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
    } else for (const { path } of files) say(this, `wrote ${printable(path)}`);
    say(
      this,
      `${numberText(facts.keptEdges)} of ${numberText(facts.edges)} edges, ` +
        `${percentText(facts.keptShare)} of |w|`,
    );
    sayWarnings(this, warnings);
  },
});

/** @throws {UsageError} `USAGE_INVALID_OPTION` */
function checkFlags(
  to: ExportTarget,
  out: string | undefined,
  { side, sign, edgeAttributes }: Pick<Flags, "side" | "sign" | "edgeAttributes">,
): void {
  if (out === undefined && tableTargets.includes(to)) {
    throw new UsageError("USAGE_INVALID_OPTION", `${to} is two files, which need a name`, {
      path: ["--out"],
      hint: `--out net.${to} writes net.nodes.${to} and net.edges.${to}.`,
    });
  }
  if (edgeAttributes && ["hif", "nodes"].includes(to)) {
    throw new UsageError("USAGE_INVALID_OPTION", `--to ${to} has no edges to say more of`, {
      path: ["--edge-attributes"],
    });
  }
  if (to !== "hif" && (side ?? sign) !== undefined) {
    throw new UsageError("USAGE_INVALID_OPTION", "--side and --sign are of --to hif only", {
      path: [side === undefined ? "--sign" : "--side"],
    });
  }
}

function filesOf(exported: Exported, out: string, input: string): OutputFile[] {
  const file = (path: string, content: string | Uint8Array): OutputFile => ({
    path,
    ...(input !== "-" && { input }),
    pieces: [
      { kind: "bytes", bytes: typeof content === "string" ? Buffer.from(content) : content },
    ],
  });
  if (exported.kind !== "tables") return [file(out, textOf(exported))];
  const { nodes, edges } = exported.content;
  return [file(namedPart(out, "nodes"), nodes), file(namedPart(out, "edges"), edges)];
}

/** `net.parquet` → `net.nodes.parquet` */
function namedPart(out: string, part: string): string {
  const ending = extname(out);
  return `${out.slice(0, out.length - ending.length)}.${part}${ending}`;
}

function textOf({ content }: Exported): string {
  return typeof content === "string" ? content : JSON.stringify(content);
}
