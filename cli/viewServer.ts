/** The viewer's server: the built page and its data, for this machine only. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isWeightGraphError, UsageError, type Model, type Series } from "../src/index.ts";
import { builtPageFolder, readPageFile } from "./view/pageFiles.ts";
import { openView, type OpenView, type ViewSettings } from "./view/openView.ts";

export interface ServeViewOptions extends ViewSettings {
  /** 0 takes any free port. @defaultValue 0 */
  readonly port?: number;
  /** Closes the server; `serveView` rejects when it is aborted before the server listens. */
  readonly signal?: AbortSignal;
  /** @defaultValue what `npm run build:viewer` wrote */
  readonly pageFolder?: string;
}

export interface ServedView {
  /** `http://127.0.0.1:PORT/` */
  readonly url: string;
  /** Settles when the server has closed, by `close` or by the signal; rejects when it failed. */
  readonly closed: Promise<void>;
  /** Ends open connections and frees the port. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Uint8Array;
}

const host = "127.0.0.1";
const headers: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/**
 * Serves the viewer for a model, or for a series with its epochs, on 127.0.0.1. Structure is read before this resolves, so a
 * file that cannot be drawn fails here; an epoch is read when the page asks for it.
 * @throws {UsageError} `USAGE_INVALID_OPTION`: port in use, bad budget, page not built; {WeightGraphError} of the reader.
 */
export async function serveView(
  shown: Model | Series,
  { port = 0, signal, pageFolder = builtPageFolder, ...settings }: ServeViewOptions = {},
): Promise<ServedView> {
  signal?.throwIfAborted();
  if ((await readPageFile(pageFolder, "/")) === null) {
    throw new UsageError("USAGE_INVALID_OPTION", "the viewer's page is not built", {
      path: [pageFolder],
      hint: "Run `npm run build:viewer` once.",
    });
  }
  const view = await openView(shown, settings);
  signal?.throwIfAborted();
  const server = createServer((request, response) => {
    void answer(request, { view, pageFolder }).then((found) => send(response, found));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(portError(port, cause)));
    server.listen(port, host, resolve);
  });

  const closed = new Promise<void>((resolve, reject) => {
    server.once("close", resolve);
    server.once("error", reject);
  });
  const close = (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    return closed;
  };
  const url = `http://${host}:${(server.address() as AddressInfo).port}/`;
  signal?.addEventListener("abort", () => void close(), { once: true });
  if (signal?.aborted) await close();
  return { url, closed, close };
}

async function answer(
  request: IncomingMessage,
  { view, pageFolder }: { readonly view: OpenView; readonly pageFolder: string },
): Promise<Answer> {
  const own = request.socket.localPort;
  // A page of another origin can point its own name at 127.0.0.1; its requests then carry that name.
  if (request.headers.host !== `${host}:${own}` && request.headers.host !== `localhost:${own}`) {
    return problem(403, "FOREIGN_HOST", `this server answers to ${host}:${own} alone`);
  }
  if (request.method !== "GET") return problem(405, "METHOD", "only GET is answered");
  const pathname = (request.url ?? "/").replace(/[?#].*$/s, "");
  try {
    if (pathname.startsWith("/api/")) {
      const body = await dataAt(view, pathname.slice("/api/".length));
      if (body === null) return problem(404, "NOT_FOUND", "no such epoch, node or document");
      return { status: 200, contentType: "application/json", body };
    }
    const file = await readPageFile(pageFolder, pathname);
    if (file === null) return problem(404, "NOT_FOUND", "no such file");
    return { status: 200, ...file };
  } catch (error) {
    if (!isWeightGraphError(error)) {
      return problem(500, "UNFORESEEN", error instanceof Error ? error.message : String(error));
    }
    return problem(500, error.code, error.message);
  }
}

/** `view`, `epoch/N`, `epoch/N/node/I`; null for everything else. */
async function dataAt(view: OpenView, path: string): Promise<string | null> {
  if (path === "view") return view.structure;
  const [, epoch, node] = /^epoch\/(\d{1,9})(?:\/node\/(\d{1,9}))?$/.exec(path) ?? [];
  if (epoch === undefined || Number(epoch) >= view.epochCount) return null;
  if (node === undefined) return view.epoch(Number(epoch));
  return Number(node) < view.nodeCount ? view.neighbours(Number(epoch), Number(node)) : null;
}

function problem(status: number, code: string, message: string): Answer {
  const body = JSON.stringify({ schema: "weightgraph.error", version: 1, code, message });
  return { status, contentType: "application/json", body };
}

function send(response: ServerResponse, { status, contentType, body }: Answer): void {
  response.writeHead(status, { ...headers, "content-type": contentType });
  response.end(body);
}

function portError(port: number, cause: NodeJS.ErrnoException): Error {
  if (cause.code !== "EADDRINUSE" && cause.code !== "EACCES") return cause;
  return new UsageError("USAGE_INVALID_OPTION", `port ${port} is taken or not allowed`, {
    cause,
    hint: "Take another --port, or 0 for any free one.",
  });
}
