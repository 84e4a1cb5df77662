/** What commands that change weights share: read, rewrite, write a copy, check it, report. */
import type { FlagParametersForType } from "@stricli/core";
import { realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  checkTensors,
  containedTarget,
  fileSource,
  FormatError,
  openModel,
  patchModel,
  pieceChunks,
  UsageError,
  writeFileAtomically,
  writeModelSafetensors,
  type LayerSelection,
  type Model,
  type ModelWarning,
  type RewrittenLayer,
  type RewrittenModel,
} from "../src/node.ts";
import { progressLine, say, sayWarnings, writeJson, type CliContext } from "./context.ts";
import { jsonFlag, layersFlag, seedFlag } from "./flags.ts";
import { checkInput, requireLayers } from "./input.ts";
import { printable, renderTable, type Cell } from "./render.ts";

export interface RewriteFlags {
  readonly json: boolean;
  readonly layers?: readonly string[];
  readonly seed: number;
  readonly out?: string;
  readonly force: boolean;
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
  force: {
    kind: "boolean",
    brief: "Overwrite an existing output file",
    default: false,
  },
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
  { json, layers, out, force }: RewriteFlags,
  rewriting: Rewriting<Report>,
): Promise<void> {
  await checkInput(file);
  const model = await openModel(file, context.limits);
  requireLayers(model);
  const progress = progressLine(context, rewriting.progress);
  const rewritten = await rewriting.rewrite(model, {
    onlyPatchable: out === undefined || !converts(model, out),
    ...(layers && { layers }),
    signal: context.signal,
    onProgress: (done, total) => progress.update(`layer ${done} of ${total}`),
  });
  progress.done();
  if (rewritten.layers.length === 0) throw nothingRewritten(file, rewritten.warnings);
  const written =
    out === undefined ? [] : await writeRewritten(context, file, rewritten, { out, force });
  if (json) {
    writeJson(context, {
      schema: rewriting.schema,
      version: 1,
      model: { name: model.name, format: model.format },
      parameters: rewriting.parameters,
      layers: rewritten.layers.map((layer) => rewriting.layerDocument(layer)),
      written,
      warnings: rewritten.model.warnings,
    });
    return;
  }
  const rows = rewritten.layers.map((layer) => rewriting.row(layer));
  context.process.stdout.write(`${renderTable(rewriting.columns, rows)}\n`);
  for (const path of written) say(context, `wrote ${printable(path)}`);
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
 * Writes the rewritten model: a copy of `file` with only the changed tensors' bytes replaced or, where `out` asks for it, all
 * its tensors as safetensors. Then reads it back and compares. Returns the paths written.
 * @throws {UsageError} `USAGE_INVALID_OPTION` when `out` would overwrite the input; {FormatError} `FILE_EXISTS`,
 *   `FILE_NOT_WRITABLE`, `FORMAT_MALFORMED` if what was written does not read back as it should.
 */
async function writeRewritten(
  context: CliContext,
  file: string,
  { model, changes }: RewrittenModel<unknown>,
  { out, force }: { readonly out: string; readonly force: boolean },
): Promise<string[]> {
  const files = converts(model, out)
    ? [{ file: null, content: await writeModelSafetensors(model) }]
    : (await patchModel(await fileSource(file, context.limits), model, changes)).map((each) => ({
        file: each.file,
        content: pieceChunks(each.pieces, { signal: context.signal }),
      }));
  const targets = await Promise.all(
    files.map(async (each) => ({
      content: each.content,
      input: each.file === null ? file : join(dirname(file), each.file),
      path: each.file === null ? out : await containedTarget(out, each.file),
    })),
  );
  for (const { path, input } of targets) await refuseInput(path, input);
  // Data first: a model file that names data which is not there yet is never seen.
  for (const { path, content } of targets.toReversed()) {
    await writeFileAtomically(path, content, { overwrite: force });
  }
  await checkTensors(await openModel(out, context.limits), changes);
  return targets.map(({ path }) => path);
}

/** True when the output is safetensors and the input is not. */
function converts(model: Model, out: string): boolean {
  return out.endsWith(".safetensors") && model.format !== "safetensors";
}

async function refuseInput(path: string, input: string): Promise<void> {
  const own = await realpath(path).catch(() => null);
  if (own === null || own !== (await realpath(input).catch(() => null))) return;
  throw new UsageError("USAGE_INVALID_OPTION", "the output would overwrite the input", {
    path: [path],
    hint: "Name another file; external data needs another folder.",
  });
}
