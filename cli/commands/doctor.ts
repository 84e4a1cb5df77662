import { buildCommand, type Command } from "@stricli/core";
import {
  examineSource,
  fileSource,
  FormatError,
  type Examination,
  type Model,
  type WeightGraphError,
} from "../../src/node.ts";
import { say, writeJson, type CliContext } from "../context.ts";
import { jsonFlag, modelFile } from "../flags.ts";
import { checkInput } from "../input.ts";
import { numberText, percentText, printable, renderTable } from "../render.ts";

export const doctorCommand: Command<CliContext> = buildCommand<
  { readonly json: boolean },
  [string],
  CliContext
>({
  docs: {
    brief: "Say what a file is, what of it is covered, and what is suspicious",
    fullDescription:
      "Reads the structure, and values for a fraction of a second. Exits with 0 for a sound file, 1 when something is suspicious, " +
      "and as any other command would when the file cannot be read.",
  },
  parameters: {
    flags: { json: jsonFlag },
    positional: modelFile,
  },
  async func({ json }, file) {
    await checkInput(file);
    const source = await fileSource(file, this.limits);
    const examination = await examineSource(source, { signal: this.signal });
    if (json) writeJson(this, doctorDocument(examination));
    else printExamination(this, examination);
    return verdictOn(examination, file);
  },
});

/** The failure that a script is to see in the exit code; nothing for a file to be trusted. */
function verdictOn({ error, findings }: Examination, file: string): WeightGraphError | undefined {
  if (error !== null) return error;
  const suspicious = findings.filter(({ severity }) => severity === "suspicious");
  if (suspicious.length === 0) return undefined;
  return new FormatError("FILE_SUSPICIOUS", suspicious.map(({ code }) => code).join(", "), {
    path: [file],
    hint: "Nothing of the file was run. Ask where it comes from before other tools load it.",
  });
}

function doctorDocument(examination: Examination): Record<string, unknown> {
  const { name, bytes, format, files, model, coverage, error, findings } = examination;
  return {
    schema: "weightgraph.doctor",
    version: 1,
    file: { name, bytes, format: format?.id ?? null, title: format?.title ?? null, files },
    readable: error === null,
    error: error && {
      code: error.code,
      message: error.message,
      path: error.path,
      hint: error.hint ?? null,
    },
    model: model && {
      format: model.format,
      producer: model.producer,
      tensors: model.tensors.length,
      layers: model.layers.length,
      kinds: kindsOf(model),
      dtypes: dtypesOf(model),
      topology: model.topology.certainty,
      neurons: model.topology.layers.reduce((sum, layer) => sum + layer.size, 0),
    },
    coverage,
    findings,
  };
}

function printExamination(context: CliContext, examination: Examination): void {
  const { name, bytes, format, files, model, coverage, error, findings } = examination;
  const rows: [string, string][] = [
    ["file", `${name}, ${numberText(bytes)} bytes`],
    ["format", format === null ? "unknown" : `${format.title}${producerText(model)}`],
  ];
  for (const other of files) rows.push(["with", `${other.name}, ${numberText(other.bytes)} bytes`]);
  if (model !== null && coverage !== null) {
    const kinds = Object.entries(kindsOf(model)).map(([kind, count]) => `${count} ${kind}`);
    rows.push(
      [
        "tensors",
        `${model.tensors.length}: ${Object.entries(dtypesOf(model))
          .map(([type, count]) => `${count} ${type}`)
          .join(", ")}`,
      ],
      ["layers", `${model.layers.length}: ${kinds.join(", ") || "none"}`],
      ["topology", model.topology.certainty],
      [
        "coverage",
        `${numberText(coverage.explained)} of ${numberText(coverage.parameters)} parameters (${percentText(coverage.share)})`,
      ],
    );
  }
  context.process.stdout.write(`${renderTable(["", ""], rows).replace(/^\s*\n/, "")}\n`);
  for (const { severity, code, message } of findings) {
    say(context, `${severity} ${code} ${printable(message)}`);
  }
  if (error === null && findings.every(({ severity }) => severity === "note")) {
    say(context, "nothing is amiss");
  }
}

function producerText(model: Model | null): string {
  return model?.producer ? ` by ${model.producer}` : "";
}

function kindsOf({ layers }: Model): Record<string, number> {
  return counted(layers.map(({ kind }) => kind));
}

function dtypesOf({ tensors }: Model): Record<string, number> {
  return counted(tensors.map(({ dtype }) => dtype));
}

function counted(names: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries(counts);
}
