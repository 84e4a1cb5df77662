import { buildCommand, type Command } from "@stricli/core";
import { matchTensors, openModel, type FloatArray, type TensorMatch } from "../../src/node.ts";
import { progressLine, say, sayWarnings, writeJson, type CliContext } from "../context.ts";
import { jsonFlag, list, modelFile } from "../flags.ts";
import { checkInput } from "../input.ts";
import { openChangeable, writePatched } from "../patched.ts";
import { renderTable } from "../render.ts";
import { sayOutputs, writingFlags, type WritingFlags } from "../writing.ts";

interface Flags extends WritingFlags {
  readonly json: boolean;
  readonly from: string;
  readonly match: "name" | "order";
  readonly tensors?: readonly string[];
  readonly out: string;
}

/** What became of one tensor. */
interface TensorReport {
  readonly tensor: string;
  readonly from: string;
  readonly dtype: string;
  readonly numel: number;
  /** Values that are other than they were. */
  readonly changed: number;
  readonly before: Totals;
  readonly after: Totals;
  readonly maxDifference: number;
}

interface Totals {
  readonly sum: number;
  readonly sumAbs: number;
}

export const patchCommand: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  docs: {
    brief: "Put weights from another file into a copy of a model file",
    fullDescription:
      "Only the bytes of tensors whose values differ change (and checksums over them). Values are rounded to each tensor's own " +
      "type; layouts are turned where both files tell theirs. The copy is read back and compared.",
  },
  parameters: {
    flags: {
      json: jsonFlag,
      from: {
        kind: "parsed",
        parse: String,
        brief: "Model file that holds the new weights, of any format",
        placeholder: "FILE",
      },
      match: {
        kind: "enum",
        values: ["name", "order"],
        brief: "Find partners by tensor name, or weight layers by their order",
        default: "name",
      },
      tensors: {
        kind: "parsed",
        parse: list,
        brief: "Only these tensors, separated by commas (default: all that match)",
        placeholder: "a,b",
        optional: true,
      },
      out: { kind: "parsed", parse: String, brief: "File to write", placeholder: "FILE" },
      ...writingFlags,
    },
    positional: modelFile,
  },
  async func({ json, from, match, tensors, ...writing }, file) {
    const input = await openChangeable(this, file);
    await checkInput(from);
    const other = await openModel(from, this.limits);
    const matches = matchTensors(input.model, other, { by: match, ...(tensors && { tensors }) });
    const progress = progressLine(this, "comparing");
    const changes = new Map<string, FloatArray>();
    const reports: TensorReport[] = [];
    for (const [done, one] of matches.entries()) {
      this.signal.throwIfAborted();
      progress.update(`tensor ${done + 1} of ${matches.length}`);
      const { report, values } = await compared(one);
      reports.push(report);
      if (report.changed > 0) changes.set(one.tensor.name, values);
    }
    progress.done();
    const files = await writePatched(this, input, changes, writing);
    if (json) {
      const { name, format } = input.model;
      writeJson(this, {
        schema: "weightgraph.patch",
        version: 1,
        model: { name, format },
        from: { name: other.name, format: other.format },
        tensors: reports,
        written: writing.dryRun ? [] : files.map(({ path }) => path),
        dryRun: writing.dryRun,
        files,
        warnings: input.model.warnings,
      });
      return;
    }
    printReports(this, reports);
    sayOutputs(this, files, writing.dryRun);
    sayWarnings(this, input.model.warnings);
  },
});

async function compared(
  match: TensorMatch,
): Promise<{ readonly report: TensorReport; readonly values: FloatArray }> {
  const old = await match.tensor.read();
  const values = await match.read();
  let changed = 0;
  let maxDifference = 0;
  for (let i = 0; i < old.length; i++) {
    if (Object.is(old[i], values[i])) continue;
    changed++;
    maxDifference = Math.max(maxDifference, Math.abs(old[i]! - values[i]!));
  }
  const { name, dtype } = match.tensor;
  const report = {
    tensor: name,
    from: match.from.name,
    dtype,
    numel: old.length,
    changed,
    before: totalsOf(old),
    after: totalsOf(values),
    maxDifference,
  };
  return { report, values };
}

function totalsOf(values: FloatArray): Totals {
  let [sum, sumAbs] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    sum += values[i]!;
    sumAbs += Math.abs(values[i]!);
  }
  return { sum, sumAbs };
}

function printReports(context: CliContext, reports: readonly TensorReport[]): void {
  const headers = ["tensor", "from", "dtype", "numel", "changed"];
  const rows = reports.map(
    ({ tensor, from, dtype, numel, changed, before, after, maxDifference }) => [
      tensor,
      from,
      dtype,
      numel,
      changed,
      before.sum,
      after.sum,
      before.sumAbs,
      after.sumAbs,
      maxDifference,
    ],
  );
  const table = renderTable(
    [...headers, "sum", "sum after", "sum |w|", "sum |w| after", "largest change"],
    rows,
  );
  context.process.stdout.write(`${table}\n`);
  const changed = reports.filter((report) => report.changed > 0).length;
  say(context, `${changed} of ${reports.length} matched tensors change`);
}
