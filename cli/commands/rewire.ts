import { buildCommand, type Command } from "@stricli/core";
import {
  rewireBlocks,
  rewireModel,
  UsageError,
  type RewireOptions,
  type RewirePass,
  type RewireReport,
} from "../../src/node.ts";
import { readJson, writeJson, type CliContext } from "../context.ts";
import { finiteNumber, formatFlag, list } from "../flags.ts";
import { blocksOf } from "../input.ts";
import { rewriteFile, rewriteFlags, type RewriteFlags, type Rewriting } from "../rewritten.ts";

interface Flags extends RewriteFlags {
  readonly format?: "matrix";
  readonly method: "stochastic" | "deterministic";
  readonly passes: readonly RewirePass[];
  readonly shift: number | "relative";
}

const schema = "weightgraph.rewire";

export const rewireCommand: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  docs: {
    brief: "Even out neuron strengths by preferential-attachment rewiring",
    fullDescription:
      "Permutes the weights within each dense and convolutional layer; the histogram of weights stays. Writes a copy of the " +
      "file in which only the rewired tensors differ, or a safetensors file. With --format matrix the input is a JSON " +
      "document of blocks and so is the answer; `-` is stdin.",
  },
  parameters: {
    flags: {
      ...rewriteFlags,
      format: formatFlag,
      method: {
        kind: "enum",
        values: ["stochastic", "deterministic"],
        brief: "Draw the order of the neurons, or take the strongest first",
        default: "stochastic",
      },
      passes: {
        kind: "parsed",
        parse: passList,
        brief: "rows evens out the senders, columns the receivers; in this order",
        default: "rows,columns",
        placeholder: "rows,columns",
      },
      shift: {
        kind: "parsed",
        parse: (text) => (text === "relative" ? text : finiteNumber(text)),
        brief: "What is added to every strength before drawing, or `relative` to their spread",
        default: "1",
        placeholder: "X",
      },
    },
    positional: {
      kind: "tuple",
      parameters: [{ brief: "Model file, or - for stdin", parse: String, placeholder: "FILE" }],
    },
  },
  async func(flags, file) {
    const { method, passes, shift, seed } = flags;
    const parameters = { method, passes, shift, seed };
    if (flags.format === "matrix") {
      const blocks = rewireBlocks(blocksOf(await readJson(this, file)), parameters);
      writeJson(this, { schema, version: 1, parameters, blocks });
    } else {
      await rewriteFile(this, file, flags, rewiring(parameters));
    }
  },
});

function rewiring(parameters: Pick<RewireOptions, "method" | "seed">): Rewriting<RewireReport> {
  return {
    schema,
    progress: "rewiring",
    parameters,
    rewrite: (model, selection) => rewireModel(model, { ...parameters, ...selection }),
    layerDocument: ({ report, ...layer }) => ({ ...layer, ...report }),
    columns: [
      "layer",
      "rows",
      "columns",
      "sender variance",
      "rewired",
      "receiver variance",
      "rewired",
    ],
    row: ({ layer, rows, columns, report: { before, after } }) => [
      layer,
      rows,
      columns,
      before.inputs,
      after.inputs,
      before.outputs,
      after.outputs,
    ],
  };
}

function passList(text: string): readonly RewirePass[] {
  return list(text).map((name) => {
    if (name === "rows" || name === "columns") return name;
    throw new UsageError("USAGE_INVALID_OPTION", `${JSON.stringify(name)} is no pass`, {
      hint: "Passes are rows and columns.",
    });
  });
}
