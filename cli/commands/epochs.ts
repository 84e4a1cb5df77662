import { buildCommand, type Command } from "@stricli/core";
import { plot } from "asciichart";
import {
  epochTable,
  openSeries,
  temporalSignature,
  type Series,
  type SignatureOptions,
  type TemporalSignature,
  writeFileAtomically,
} from "../../src/node.ts";
import { progressLine, say, sayWarnings, writeJson, type CliContext } from "../context.ts";
import { jsonFlag, signatureFlags, type SignatureFlags } from "../flags.ts";
import { followSeries, type FollowedSeries } from "../followSeries.ts";
import { checkSeriesInput } from "../input.ts";
import { numberText, printable, renderTable, type Cell } from "../render.ts";

interface Flags extends SignatureFlags {
  readonly json: boolean;
  readonly format?: string;
  readonly plot?: string;
  readonly force: boolean;
}

export const epochsCommand: Command<CliContext> = buildCommand<Flags, string[], CliContext>({
  docs: {
    brief: "Follow checkpoints over training: how the neurons' measures change",
    fullDescription:
      "One row per epoch: the logged metrics, and mean, median, sd, skewness and excess kurtosis of each measure over the " +
      "neurons. Names a folder, a pattern in quotes ('runs/a/*.pt'), a manifest (JSON or CSV), or files. Epochs and metrics come " +
      "from names and from logs beside the files (JSON, CSV, TensorBoard); the checkpoints are told by their content.",
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
      kind: "array",
      parameter: {
        brief: "Folder of checkpoints, pattern, manifest or files",
        parse: String,
        placeholder: "PATH",
      },
      minimum: 1,
    },
  },
  async func({ json, format, plot: picture, force, ...options }, ...paths) {
    for (const path of paths) await checkSeriesInput(path);
    const progress = progressLine(this, "reading");
    progress.update("the names and first bytes of files");
    const series = await openSeries(paths, { ...this.limits, ...(format && { format }) }).finally(
      () => progress.done(),
    );
    const followed = followSeries(series, {
      signal: this.signal,
      onProgress: (text) => progress.update(printable(text)),
    });
    const signature = await temporalSignature(followed.graphs(), options).finally(() =>
      progress.done(),
    );
    if (picture !== undefined) {
      // Drawing libraries load only for a picture.
      const { epochsPlot } = await import("../report/epochsPlot.ts");
      const svg = epochsPlot(signature.records, followed.snapshots);
      await writeFileAtomically(picture, svg, { overwrite: force });
      say(this, `wrote ${printable(picture)}`);
    }
    if (json) writeJson(this, epochsDocument(series, followed, signature, options));
    else await printEpochs(this, series, followed, signature);
  },
});

function epochsDocument(
  { name, unit, logs }: Series,
  followed: FollowedSeries,
  { records, vector, columns }: TemporalSignature,
  parameters: SignatureOptions,
): Record<string, unknown> {
  const { snapshots } = followed;
  const formats = [...new Set(snapshots.map(({ format }) => format))];
  return {
    schema: "weightgraph.epochs",
    version: 1,
    series: { name, snapshots: snapshots.length, unit, formats },
    parameters,
    epochs: snapshots.map(({ epoch, step, name, format, metrics }) => ({
      epoch,
      name,
      metrics,
      step,
      format,
    })),
    records,
    signature: { columns, values: Array.from(vector) },
    logs,
    warnings: followed.warnings(),
  };
}

async function printEpochs(
  context: CliContext,
  { name: seriesName, unit }: Series,
  followed: FollowedSeries,
  signature: TemporalSignature,
): Promise<void> {
  const table = await epochTable(signature.records, followed.snapshots);
  const names = table.columnNames();
  const rows = table.objects() as Record<string, Cell>[];
  const text = renderTable(
    names.map((name) => (name === "epoch" ? unit : name)),
    rows.map((row) => names.map((name) => row[name])),
  );
  context.process.stdout.write(`${text}\n`);
  for (const name of names) {
    const values = rows.map((row) => row[name]);
    const drawn = name.endsWith(".mean") || (name !== "epoch" && !name.includes("."));
    const isCurve = values.every((value) => typeof value === "number" && Number.isFinite(value));
    if (!drawn || values.length < 2 || !isCurve) continue;
    const curve = plot(stretched(values as number[]), { height: 6, format: axisText });
    context.process.stdout.write(`\n${printable(name)} by ${unit}\n${curve}\n`);
  }
  say(context, `${printable(seriesName)}: ${followed.snapshots.length} snapshots, by ${unit}`);
  sayWarnings(context, followed.warnings());
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
