import { buildCommand, type Command } from "@stricli/core";
import { reinitModel, type ReinitModelOptions, type ReinitReport } from "../../src/node.ts";
import type { CliContext } from "../context.ts";
import { finiteNumber, modelFile, wholeNumber } from "../flags.ts";
import { rewriteFile, rewriteFlags, type RewriteFlags, type Rewriting } from "../rewritten.ts";

interface Parameters {
  readonly from: "hypercore" | "strength" | "shuffled";
  readonly mode: "variance-matched" | "sign-switch";
  readonly activation: "linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";
  readonly convolution: "flatten" | "channel";
  readonly alpha: number;
  readonly l: number;
  readonly t?: number;
  readonly unweighted: boolean;
}

export const reinitCommand: Command<CliContext> = buildCommand<
  RewriteFlags & Parameters,
  [string],
  CliContext
>({
  docs: {
    brief: "Draw new weights whose means follow the neurons' hypercore numbers",
    fullDescription:
      "Hypercore re-initialisation of each dense and convolutional layer, for a network after a short pretraining. Controls: " +
      "--from strength (the same formula on strengths) and --from shuffled (the same numbers, dealt to random neurons).",
  },
  parameters: {
    flags: {
      ...rewriteFlags,
      from: {
        kind: "enum",
        values: ["hypercore", "strength", "shuffled"],
        brief: "What ranks the neurons",
        default: "hypercore",
      },
      mode: {
        kind: "enum",
        values: ["variance-matched", "sign-switch"],
        brief: "How a rank becomes a mean",
        default: "variance-matched",
      },
      activation: {
        kind: "enum",
        values: ["linear", "sigmoid", "tanh", "relu", "leakyRelu", "selu"],
        brief: "What follows the layer: sets the spread",
        default: "relu",
      },
      convolution: {
        kind: "enum",
        values: ["flatten", "channel"],
        brief: "A sending neuron is a tap of a channel, or a whole channel",
        default: "flatten",
      },
      alpha: {
        kind: "parsed",
        parse: finiteNumber,
        brief: "Largest mean in units of the spread, from 0 to 1 (variance-matched)",
        default: "0.5",
        placeholder: "X",
      },
      l: {
        kind: "parsed",
        parse: wholeNumber,
        brief: "Fewest members of a living hyperedge",
        default: "2",
        placeholder: "N",
      },
      t: {
        kind: "parsed",
        parse: finiteNumber,
        brief: "Least fraction of its members in a living hyperedge",
        placeholder: "X",
        optional: true,
      },
      unweighted: {
        kind: "boolean",
        brief: "Count hyperedges instead of adding weights",
        default: false,
      },
    },
    aliases: { l: "l", t: "t" },
    positional: modelFile,
  },
  async func(flags, file) {
    const { from, mode, activation, convolution, alpha, l, t = null, unweighted, seed } = flags;
    const parameters = { from, mode, activation, convolution, alpha, l, t, unweighted, seed };
    await rewriteFile(this, file, flags, reinitialisation(parameters));
  },
});

function reinitialisation(
  parameters: Omit<ReinitModelOptions, "layers" | "signal" | "onProgress">,
): Rewriting<ReinitReport> {
  return {
    schema: "weightgraph.reinit",
    progress: "drawing",
    parameters: { ...parameters },
    rewrite: (model, selection) => reinitModel(model, { ...parameters, ...selection }),
    layerDocument: ({ report: { groups }, ...layer }) => ({
      ...layer,
      groups: groups.map(({ sigma, guardFactor, means, scores }) => ({
        sigma,
        guardFactor,
        means: Array.from(means),
        scores: {
          positive: Array.from(scores.positive),
          negative: Array.from(scores.negative),
        },
      })),
    }),
    columns: ["layer", "rows", "columns", "groups", "sigma", "largest mean", "guard"],
    row: ({ layer, rows, columns, report: { groups } }) => [
      layer,
      rows,
      columns,
      groups.length,
      groups[0]?.sigma,
      Math.max(...groups.map(({ means }) => means.reduce((a, b) => Math.max(a, Math.abs(b)), 0))),
      groups[0]?.guardFactor,
    ],
  };
}
