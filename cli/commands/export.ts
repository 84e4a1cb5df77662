import { buildCommand, type Command } from "@stricli/core";
import {
  toGexf,
  toGraphology,
  toTable,
  writeFileAtomically,
  type GraphologyOptions,
  type LayeredGraph,
} from "../../src/node.ts";
import { say, sayWarnings, writeJson, type CliContext } from "../context.ts";
import { formatFlag, jsonFlag, list, wholeNumber } from "../flags.ts";
import { graphFlags, withGraphFlags } from "../graphFlags.ts";
import { readGraph, type GraphInputFlags } from "../graphInput.ts";
import { chosenNodeMeasures } from "../measureFlags.ts";
import { numberText, percentText, printable } from "../render.ts";

type Target = "graphology" | "gexf" | "nodes" | "edges";

interface Flags extends GraphInputFlags {
  readonly json: boolean;
  readonly to: Target;
  readonly type: "directed" | "undirected";
  readonly edges: number;
  readonly reduce: boolean;
  readonly measures: readonly string[];
  readonly out?: string;
  readonly force: boolean;
}

export const exportCommand: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  docs: {
    brief: "Hand the graph to other tools: graphology JSON, GEXF, CSV tables",
    fullDescription:
      "Writes the layered graph, with measures as node attributes, to stdout or --out. A graph with more edges than --edges is " +
      "refused, unless --reduce lets it keep its strongest edges; the share of |w| kept is stated.",
  },
  parameters: {
    flags: {
      json: jsonFlag,
      format: formatFlag,
      ...graphFlags,
      to: {
        kind: "enum",
        values: ["graphology", "gexf", "nodes", "edges"],
        brief: "graphology JSON, GEXF 1.3, or a CSV table of nodes or edges",
        default: "graphology",
      },
      type: {
        kind: "enum",
        values: ["directed", "undirected"],
        brief: "Direction of edges in graphology and GEXF",
        default: "directed",
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
    const { graph: read, warnings } = await readGraph(this, file, flags.format);
    const graph = withGraphFlags(read, flags);
    const { type, edges, reduce } = flags;
    const measures = Object.fromEntries(
      chosenNodeMeasures(flags.measures).map(({ id, run }) => [id, run(graph).nodes]),
    );
    const options: GraphologyOptions = { type, edgeBudget: edges, reduce, measures };
    const facts = toGraphology(graph, options).getAttributes();
    const content = await exported[to](graph, options);
    const text = typeof content === "string" ? content : JSON.stringify(content);
    if (out !== undefined) await writeFileAtomically(out, text, { overwrite: force });
    if (json) {
      const body = out === undefined ? { content } : { written: [out] };
      writeJson(this, { schema: "weightgraph.export", version: 1, to, facts, ...body, warnings });
      return;
    }
    if (out === undefined) this.process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
    else say(this, `wrote ${printable(out)}`);
    say(
      this,
      `${numberText(facts.keptEdges)} of ${numberText(facts.edges)} edges, ` +
        `${percentText(facts.keptShare)} of |w|`,
    );
    sayWarnings(this, warnings);
  },
});

/** What each target is made of: a JSON document, or text. */
const exported: Readonly<
  Record<Target, (graph: LayeredGraph, options: GraphologyOptions) => unknown>
> = {
  graphology: (graph, options) => toGraphology(graph, options).export(),
  gexf: (graph, options) => toGexf(graph, options),
  nodes: async (graph, options) => (await toTable(graph, options)).nodes.toCSV(),
  edges: async (graph, options) => (await toTable(graph, options)).edges.toCSV(),
};
