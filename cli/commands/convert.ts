import { buildCommand, type Command } from "@stricli/core";
import {
  checkConversion,
  conversionTargets,
  convertModel,
  openModel,
  UsageError,
  type ConversionTarget,
} from "../../src/node.ts";
import { say, sayWarnings, writeJson, type CliContext } from "../context.ts";
import { jsonFlag, modelFile } from "../flags.ts";
import { openChangeable } from "../patched.ts";
import {
  outputsOf,
  sayOutputs,
  writeOutputs,
  writingFlags,
  type WritingFlags,
} from "../writing.ts";

interface Flags extends WritingFlags {
  readonly json: boolean;
  readonly to?: ConversionTarget;
  readonly out: string;
}

const targets = Object.keys(conversionTargets) as ConversionTarget[];

export const convertCommand: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  docs: {
    brief: "Write a model's weights in another format",
    fullDescription:
      "Every weight under its own name, or, where the target has layers of its own, a network that runs. Quantised weights are " +
      "written dequantised. What was written is read back and compared.",
  },
  parameters: {
    flags: {
      json: jsonFlag,
      to: {
        kind: "enum",
        values: targets,
        brief: "Format to write (default: by the ending of --out)",
        optional: true,
      },
      out: { kind: "parsed", parse: String, brief: "File to write", placeholder: "FILE" },
      ...writingFlags,
    },
    positional: modelFile,
  },
  async func({ json, to, out, ...writing }, file) {
    const target = to ?? targetOf(out);
    const input = await openChangeable(this, file);
    const { model } = input;
    const conversion = await convertModel(model, target);
    const { files, warnings } = conversion;
    const outputs = await outputsOf(files, { out });
    // Nothing is written over what is read, whatever the formats.
    const guarded = outputs.map((output) => ({ ...output, input: file }));
    const report = await writeOutputs(this, guarded, writing);
    if (!writing.dryRun) await checkConversion(conversion, await openModel(out, this.limits));
    if (json) {
      writeJson(this, {
        schema: "weightgraph.convert",
        version: 1,
        model: { name: model.name, format: model.format },
        to: target,
        tensors: model.tensors.length,
        layers: model.layers.length,
        written: writing.dryRun ? [] : report.map(({ path }) => path),
        dryRun: writing.dryRun,
        files: report,
        warnings,
      });
      return;
    }
    sayOutputs(this, report, writing.dryRun);
    if (!writing.dryRun) say(this, `${model.layers.length} weight layers read back as they were`);
    sayWarnings(this, warnings);
  },
});

function targetOf(out: string): ConversionTarget {
  const found = targets.find((target) => conversionTargets[target].test(out));
  if (found !== undefined) return found;
  throw new UsageError("USAGE_INVALID_OPTION", "the ending of --out is of no format to write", {
    path: [out],
    hint: `Pass --to ${targets.join("|")}.`,
  });
}
