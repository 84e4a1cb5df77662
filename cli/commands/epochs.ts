import { buildCommand, type Command } from "@stricli/core";
import { plot } from "asciichart";
import {
  epochTable,
  layeredGraph,
  openSeries,
  temporalSignature,
  type EpochGraph,
  type Series,
  type SignatureOptions,
  type TemporalSignature,
  writeFileAtomically,
} from "../../src/node.ts";
import { progressLine, say, sayWarnings, writeJson, type CliContext } from "../context.ts";
import { jsonFlag, signatureFlags, type SignatureFlags } from "../flags.ts";
import { checkInput } from "../input.ts";
import { numberText, printable, renderTable, type Cell } from "../render.ts";

interface Flags extends SignatureFlags {
  readonly json: boolean;
  readonly format?: string;
  readonly plot?: string;
  readonly force: boolean;
}

export const epochsCommand: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  docs: {
    brief: "Follow a folder of checkpoints: how the neurons' measures change over training",
    fullDescription:
      "One row per epoch: the logged metrics, and mean, median, sd, skewness and excess kurtosis of each measure over the " +
      "neurons. Epochs and metrics come from file names and a log.json; the checkpoints are told by their content.",
  },
  parameters: {
    flags: {
      json: jsonFlag,
      ...signatureFlags,
      format: {
        kind: "parsed",
        parse: String,
        brief: "Take the checkpoints of this format where a folder holds several",
        placeholder: "safetensors",
        optional: true,
      },
      plot: {
        kind: "parsed",
        parse: String,
        brief: "Write the curves as an SVG picture",
        placeholder: "FILE.svg",
        optional: true,
      },
      force: { kind: "boolean", brief: "Overwrite an existing picture", default: false },
    },
    positional: {
      kind: "tuple",
      parameters: [{ brief: "Folder of checkpoints", parse: String, placeholder: "FOLDER" }],
    },
  },
  async func({ json, format, plot: picture, force, ...options }, folder) {
    await checkInput(folder);
    const { signal } = this;
    const series = await openSeries(folder, { ...this.limits, ...(format && { format }) });
    const progress = progressLine(this, "reading");
    const signature = await temporalSignature(
      graphsOf(series, signal, (text) => progress.update(text)),
      options,
    );
    progress.done();
    if (picture !== undefined) {
      // Drawing libraries load only for a picture.
      const { epochsPlot } = await import("../report/epochsPlot.ts");
      const svg = epochsPlot(signature.records, series.snapshots);
      await writeFileAtomically(picture, svg, { overwrite: force });
      say(this, `wrote ${printable(picture)}`);
    }
    if (json) writeJson(this, epochsDocument(series, signature, options));
    else await printEpochs(this, series, signature);
  },
});

async function* graphsOf(
  { snapshots }: Series,
  signal: AbortSignal,
  report: (text: string) => void,
): AsyncGenerator<EpochGraph> {
  for (const [done, snapshot] of snapshots.entries()) {
    const { epoch, name } = snapshot;
    signal.throwIfAborted();
    report(`${name}, ${done + 1} of ${snapshots.length}`);
    yield { epoch, graph: await layeredGraph(await snapshot.load()) };
  }
}

function epochsDocument(
  series: Series,
  { records, vector, columns }: TemporalSignature,
  parameters: SignatureOptions,
): Record<string, unknown> {
  return {
    schema: "weightgraph.epochs",
    version: 1,
    series: { name: series.name, snapshots: series.snapshots.length },
    parameters,
    epochs: series.snapshots.map(({ epoch, name, metrics }) => ({ epoch, name, metrics })),
    records,
    signature: { columns, values: Array.from(vector) },
    warnings: series.warnings,
  };
}

async function printEpochs(
  context: CliContext,
  series: Series,
  signature: TemporalSignature,
): Promise<void> {
  const table = await epochTable(signature.records, series.snapshots);
  const names = table.columnNames();
  const rows = table.objects() as Record<string, Cell>[];
  const text = renderTable(
    names,
    rows.map((row) => names.map((name) => row[name])),
  );
  context.process.stdout.write(`${text}\n`);
  for (const name of names) {
    const values = rows.map((row) => row[name]);
    const drawn = name.endsWith(".mean") || (name !== "epoch" && !name.includes("."));
    if (!drawn || values.length < 2 || !values.every((value) => typeof value === "number"))
      continue;
    const curve = plot(stretched(values), { height: 6, format: axisText });
    context.process.stdout.write(`\n${printable(name)} by epoch\n${curve}\n`);
  }
  say(context, `${printable(series.name)}: ${series.snapshots.length} snapshots`);
  sayWarnings(context, series.warnings);
}

/** A few columns of the terminal per epoch, in straight lines. */
function stretched(values: readonly number[]): number[] {
  const step = Math.max(1, Math.floor(60 / (values.length - 1)));
  return Array.from({ length: (values.length - 1) * step + 1 }, (_, i) => {
    const from = values[Math.floor(i / step)]!;
    const to = values[Math.ceil(i / step)]!;
    return from + ((to - from) * (i % step)) / step;
  });
}

function axisText(value: number): string {
  return numberText(value).padStart(10);
}
