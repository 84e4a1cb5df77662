/** What commands that change weights share: read, rewrite, write a copy, check it, report. */
import type { FlagParametersForType } from "@stricli/core";
import {
  checkConversion,
  convertModel,
  FormatError,
  openModel,
  type LayerSelection,
  type Model,
  type ModelWarning,
  type RewrittenLayer,
  type RewrittenModel,
} from "../src/node.ts";
import { progressLine, say, sayWarnings, writeJson, type CliContext } from "./context.ts";
import { jsonFlag, layersFlag, seedFlag } from "./flags.ts";
import { openChangeable, writePatched, type ChangeableModel } from "./patched.ts";
import { renderTable, type Cell } from "./render.ts";
import {
  outputsOf,
  sayOutputs,
  writeOutputs,
  writingFlags,
  type OutputReport,
  type WritingFlags,
} from "./writing.ts";

export interface RewriteFlags extends WritingFlags {
  readonly json: boolean;
  readonly layers?: readonly string[];
  readonly seed: number;
  readonly out?: string;
}

export const rewriteFlags: FlagParametersForType<RewriteFlags, CliContext> = {
  json: jsonFlag,
  layers: layersFlag,
  seed: seedFlag,
  out: {
    kind: "parsed",
    parse: String,
    brief: "File to write; without it nothing is written, only reported",
    placeholder: "FILE",
    optional: true,
  },
  ...writingFlags,
};

/** One way to change weights, as a command shows it. */
export interface Rewriting<Report> {
  /** Schema of its JSON. */
  readonly schema: string;
  readonly progress: string;
  /** As they stand in the JSON. */
  readonly parameters: Readonly<Record<string, unknown>>;
  rewrite(model: Model, selection: LayerSelection): Promise<RewrittenModel<Report>>;
  layerDocument(layer: RewrittenLayer<Report>): Readonly<Record<string, unknown>>;
  readonly columns: readonly string[];
  row(layer: RewrittenLayer<Report>): readonly Cell[];
}

/** Runs one rewriting on a model file. @throws {WeightGraphError} of reader, rewriter and writer. */
export async function rewriteFile<Report>(
  context: CliContext,
  file: string,
  { json, layers, out, force, dryRun }: RewriteFlags,
  rewriting: Rewriting<Report>,
): Promise<void> {
  const input = await openChangeable(context, file);
  const { model } = input;
  const progress = progressLine(context, rewriting.progress);
  const rewritten = await rewriting.rewrite(model, {
    onlyPatchable: out === undefined || !converts(model, out),
    ...(layers && { layers }),
    signal: context.signal,
    onProgress: (done, total) => progress.update(`layer ${done} of ${total}`),
  });
  progress.done();
  if (rewritten.layers.length === 0) throw nothingRewritten(file, rewritten.warnings);
  const report =
    out === undefined
      ? []
      : await writeRewritten(context, input, rewritten, { out, force, dryRun });
  const written = dryRun ? [] : report.map(({ path }) => path);
  if (json) {
    writeJson(context, {
      schema: rewriting.schema,
      version: 1,
      model: { name: model.name, format: model.format },
      parameters: rewriting.parameters,
      layers: rewritten.layers.map((layer) => rewriting.layerDocument(layer)),
      written,
      dryRun,
      files: report,
      warnings: rewritten.model.warnings,
    });
    return;
  }
  const rows = rewritten.layers.map((layer) => rewriting.row(layer));
  context.process.stdout.write(`${renderTable(rewriting.columns, rows)}\n`);
  sayOutputs(context, report, dryRun);
  if (out === undefined) say(context, "nothing written: name a file with --out");
  sayWarnings(context, rewritten.warnings);
}

function nothingRewritten(file: string, reasons: readonly ModelWarning[]): FormatError {
  return new FormatError("FORMAT_UNSUPPORTED", "none of its layers can be rewritten", {
    path: [file],
    hint: reasons[0]?.message ?? "It has no dense or convolutional layer.",
  });
}

/**
 * Writes the rewritten model: a copy of its files with only the changed tensors' bytes replaced or, where `out` asks for it, all
 * its tensors as safetensors. Then reads it back and compares.
 * @throws {WeightGraphError} of `writePatched` and `writeOutputs`.
 */
async function writeRewritten(
  context: CliContext,
  input: ChangeableModel,
  { model, changes }: RewrittenModel<unknown>,
  { out, ...flags }: WritingFlags & { readonly out: string },
): Promise<readonly OutputReport[]> {
  if (!converts(model, out)) return writePatched(context, input, changes, { out, ...flags });
  const conversion = await convertModel(model, "safetensors");
  const outputs = await outputsOf(conversion.files, { out });
  const files = outputs.map((output) => ({ ...output, input: input.path }));
  const report = await writeOutputs(context, files, flags);
  if (!flags.dryRun) await checkConversion(conversion, await openModel(out, context.limits));
  return report;
}

/** True when the output is safetensors and the input is not. */
function converts(model: Model, out: string): boolean {
  return out.endsWith(".safetensors") && model.format !== "safetensors";
}
