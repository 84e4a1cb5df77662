import { buildCommand, type Command } from "@stricli/core";
import {
  applyPredictor,
  compareFeatures,
  fitPredictor,
  openSeries,
  parsePredictor,
  UsageError,
  writeFileAtomically,
  type FeatureComparison,
  type Score,
} from "../../src/node.ts";
import {
  progressLine,
  readJson,
  say,
  sayWarnings,
  writeJson,
  type CliContext,
} from "../context.ts";
import { jsonFlag, seedFlag, wholeNumber, signatureFlags, type SignatureFlags } from "../flags.ts";
import { checkInput } from "../input.ts";
import { earlySignature, labelledRuns, type EarlyOptions } from "../labelledRuns.ts";
import { numberText, printable, renderTable } from "../render.ts";

interface Flags extends SignatureFlags {
  readonly json: boolean;
  readonly epochs: number;
  readonly target: string;
  readonly folds: number;
  readonly repeats: number;
  readonly seed: number;
  readonly save?: string;
  readonly force: boolean;
  readonly with?: string;
}

const schema = "weightgraph.prediction";

export const predictCommand: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  docs: {
    brief: "Predict from the first epochs' graphs how good a network will become",
    fullDescription:
      "FOLDER holds finished runs, one subfolder each. Ridge regression of the final metric and logistic regression of its " +
      "better half are cross-validated on the graphs' signature, beside a baseline, the learning curve and the " +
      "hyper-parameters of the same runs. --save keeps a predictor; --with applies one to a run that has just begun.",
  },
  parameters: {
    flags: {
      json: jsonFlag,
      epochs: {
        kind: "parsed",
        parse: wholeNumber,
        brief: "The last epoch to look at",
        default: "1",
        placeholder: "N",
      },
      target: {
        kind: "parsed",
        parse: String,
        brief: "Metric to predict, at the last epoch",
        default: "test_acc",
      },
      ...signatureFlags,
      folds: { kind: "parsed", parse: wholeNumber, brief: "Folds", default: "5" },
      repeats: { kind: "parsed", parse: wholeNumber, brief: "Repeats of all folds", default: "5" },
      seed: seedFlag,
      save: {
        kind: "parsed",
        parse: String,
        brief: "Write a predictor, fitted on all runs",
        placeholder: "FILE",
        optional: true,
      },
      force: { kind: "boolean", brief: "Overwrite an existing output file", default: false },
      with: {
        kind: "parsed",
        parse: String,
        brief: "Apply this saved predictor to the run in FOLDER",
        placeholder: "FILE",
        optional: true,
      },
    },
    positional: {
      kind: "tuple",
      parameters: [
        { brief: "Folder of runs, or a run with --with", parse: String, placeholder: "FOLDER" },
      ],
    },
  },
  async func(flags, folder) {
    await checkInput(folder);
    if (flags.with === undefined) await comparePredictors(this, folder, flags);
    else await applySaved(this, folder, { file: flags.with, json: flags.json });
  },
});

async function comparePredictors(context: CliContext, folder: string, flags: Flags): Promise<void> {
  const { target, epochs, measures, scope, normalise, folds, repeats, seed, save, force } = flags;
  const settings = { epochs, measures, scope, normalise };
  const progress = progressLine(context, "reading");
  const { runs, warnings } = await labelledRuns(
    folder,
    { ...settings, target, signal: context.signal },
    (name, done, total) => progress.update(`${printable(name)}, ${done + 1} of ${total}`),
  );
  progress.done();
  const comparison = compareFeatures(runs, { folds, repeats, seed });
  if (save !== undefined) {
    const labelled = runs.map((run) => ({
      target: run.target,
      features: run.features["signature"]!,
    }));
    const predictor = fitPredictor(labelled, { target, settings, seed });
    await writeFileAtomically(save, `${JSON.stringify(predictor)}\n`, { overwrite: force });
    say(context, `wrote ${printable(save)}`);
  }
  if (flags.json) {
    writeJson(context, {
      schema,
      version: 1,
      parameters: { target, ...settings, folds, repeats, seed },
      runs: runs.map((run) => ({ name: run.name, target: run.target })),
      ...comparison,
      warnings,
    });
    return;
  }
  context.process.stdout.write(`${scoreTable(comparison)}\n`);
  const ends = runs.map((run) => run.target);
  say(
    context,
    `${runs.length} runs, ${printable(target)} from ${numberText(Math.min(...ends))} to ` +
      `${numberText(Math.max(...ends))}, predicted from epochs up to ${epochs}`,
  );
  sayWarnings(context, warnings);
}

function scoreTable({ sets }: FeatureComparison): string {
  const headers = ["features", "numbers", "R2", "MAE", "Spearman", "accuracy", "macro-F1"];
  const text = (score: Score | null): string | null =>
    score &&
    `${numberText(score.mean)}${score.std === null ? "" : ` ± ${score.std.toPrecision(2)}`}`;
  return renderTable(
    headers,
    sets.map(({ set, featureCount, regression, classification }) => [
      set,
      featureCount,
      text(regression.r2),
      text(regression.mae),
      text(regression.spearman),
      text(classification.accuracy),
      text(classification.macroF1),
    ]),
  );
}

async function applySaved(
  context: CliContext,
  folder: string,
  { file, json }: { readonly file: string; readonly json: boolean },
): Promise<void> {
  const predictor = parsePredictor(await readJson(context, file));
  const series = await openSeries(folder, context.limits);
  const settings = earlySettings(predictor.settings);
  const features = await earlySignature(series, { ...settings, signal: context.signal });
  const prediction = applyPredictor(predictor, features);
  const { target } = predictor;
  if (json) {
    const run = series.name;
    writeJson(context, { schema, version: 1, run, target, epochs: settings.epochs, prediction });
    return;
  }
  const { value, probability, threshold } = prediction;
  context.process.stdout.write(
    `${printable(target)} will be about ${numberText(value)}; above ${numberText(threshold)} with ` +
      `probability ${probability.toFixed(2)}\n`,
  );
}

/** How a predictor's features were made. @throws {UsageError} `USAGE_INVALID_OPTION` if it was not made by this command. */
function earlySettings(settings: Readonly<Record<string, unknown>>): Omit<EarlyOptions, "signal"> {
  const { epochs, measures, scope, normalise } = settings as Partial<EarlyOptions>;
  if (!Number.isSafeInteger(epochs) || !Array.isArray(measures)) {
    throw new UsageError("USAGE_INVALID_OPTION", "the predictor does not say how it was made", {
      hint: "Save one with `predict FOLDER --save FILE`.",
    });
  }
  return {
    epochs: epochs!,
    measures: measures as readonly string[],
    ...(scope && { scope }),
    ...(normalise && { normalise }),
  };
}
