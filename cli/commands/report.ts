import { buildCommand, type Command } from "@stricli/core";
import { openModel, openSeries, writeFileAtomically } from "../../src/node.ts";
import { progressLine, say, sayWarnings, writeJson, type CliContext } from "../context.ts";
import { jsonFlag, modelFile } from "../flags.ts";
import { checkInput, checkSeriesInput, requireLayers } from "../input.ts";
import { printable } from "../render.ts";

interface Flags {
  readonly json: boolean;
  readonly series?: string;
  readonly out: string;
  readonly force: boolean;
}

export const reportCommand: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  docs: {
    brief: "Write an HTML page with pictures of a model file",
    fullDescription:
      "One file that needs no network: the layered graph, weights and strengths by layer, the top neurons of each measure, " +
      "coverage, and with --series a folder of checkpoints over its epochs.",
  },
  parameters: {
    flags: {
      json: jsonFlag,
      series: {
        kind: "parsed",
        parse: String,
        brief: "Folder, pattern or manifest of checkpoints to follow in the same page",
        placeholder: "PATH",
        optional: true,
      },
      out: {
        kind: "parsed",
        parse: String,
        brief: "File to write",
        default: "report.html",
        placeholder: "FILE",
      },
      force: { kind: "boolean", brief: "Overwrite an existing output file", default: false },
    },
    positional: modelFile,
  },
  async func({ json, series: folder, out, force }, file) {
    // The drawing libraries load here, so that no other command waits for them.
    const { collectReport } = await import("../report/collectReport.ts");
    const { renderReport } = await import("../report/renderReport.ts");
    await checkInput(file);
    const model = await openModel(file, this.limits);
    requireLayers(model);
    if (folder !== undefined) await checkSeriesInput(folder);
    const { signal } = this;
    const series = folder === undefined ? undefined : await openSeries(folder, this.limits);
    const progress = progressLine(this, "report:");
    const data = await collectReport(model, {
      ...(series && { series }),
      signal,
      onProgress: (what) => progress.update(what),
    });
    const page = renderReport(data);
    progress.done();
    await writeFileAtomically(out, page, { overwrite: force });
    if (json) {
      const byteLength = Buffer.byteLength(page);
      writeJson(this, { schema: "weightgraph.report", version: 1, path: out, byteLength });
    } else {
      say(this, `wrote ${printable(out)}`);
    }
    sayWarnings(this, [...model.warnings, ...(data.training?.warnings ?? [])]);
  },
});
