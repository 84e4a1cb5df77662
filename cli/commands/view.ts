import { buildCommand, type Command } from "@stricli/core";
import { spawn } from "node:child_process";
import { stat } from "node:fs/promises";
import {
  isSeriesManifest,
  openModel,
  openSeries,
  type Model,
  type ReadLimits,
  type Series,
} from "../../src/node.ts";
import { say, writeJson, type CliContext } from "../context.ts";
import { jsonFlag, wholeNumber } from "../flags.ts";
import { checkSeriesInput, requireLayers } from "../input.ts";

interface Flags {
  readonly json: boolean;
  readonly port: number;
  readonly edges: number;
  readonly open: boolean;
}

export const viewCommand: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  docs: {
    brief: "Draw a model file or a folder of checkpoints in the browser",
    fullDescription:
      "Serves a page on 127.0.0.1 until Ctrl-C: layers as columns, neurons coloured and sized by a measure, the strongest " +
      "edges up to a budget, and an epoch slider for a series.",
  },
  parameters: {
    flags: {
      json: jsonFlag,
      port: {
        kind: "parsed",
        parse: wholeNumber,
        brief: "Port to listen on; 0 takes any free one",
        default: "0",
        placeholder: "N",
      },
      edges: {
        kind: "parsed",
        parse: wholeNumber,
        brief: "Edges to draw at most",
        default: "20000",
        placeholder: "N",
      },
      open: { kind: "boolean", brief: "Open the page in the browser", default: false },
    },
    positional: {
      kind: "tuple",
      parameters: [
        {
          brief: "Model file; or folder, pattern or manifest of checkpoints",
          parse: String,
          placeholder: "PATH",
        },
      ],
    },
  },
  async func({ json, port, edges, open }, path) {
    const shown = await openShown(path, this.limits);
    // The server and the libraries below load only here, so that other commands start sooner.
    const { serveView } = await import("../viewServer.ts");
    const { url, closed } = await serveView(shown, {
      port,
      edgeBudget: edges,
      signal: this.signal,
    });
    if (json) writeJson(this, { schema: "weightgraph.served", version: 1, url });
    else this.process.stdout.write(`${url}\n`);
    say(this, "serving until Ctrl-C");
    if (open) openBrowser(url);
    await closed;
    this.signal.throwIfAborted();
  },
});

/** A folder, a pattern and a manifest are a series, another file is a model. */
async function openShown(path: string, limits: ReadLimits): Promise<Model | Series> {
  await checkSeriesInput(path);
  const found = await stat(path).catch(() => null);
  if (found === null || found.isDirectory() || (await isSeriesManifest(path))) {
    return openSeries(path, limits);
  }
  const model = await openModel(path, limits);
  requireLayers(model);
  return model;
}

/** The system's own opener; that there is none is no failure, since the address was printed. */
function openBrowser(url: string): void {
  const opener = { darwin: "open", win32: "explorer" }[process.platform as string] ?? "xdg-open";
  spawn(opener, [url], { stdio: "ignore", detached: true })
    .on("error", () => undefined)
    .unref();
}
