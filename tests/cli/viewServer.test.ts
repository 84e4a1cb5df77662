import { mkdtemp, mkdir, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serveView, type ServedView } from "../../cli/viewServer.ts";
import { openSeries, type Series } from "../../src/node.ts";

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Sends the path as it stands, which fetch would tidy up first. */
function ask(
  url: string,
  path: string,
  { host, method = "GET" }: { host?: string; method?: string } = {},
): Promise<Reply> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const headers = host === undefined ? {} : { host };
    const sent = request({ hostname, port, path, method, headers, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (body += chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}

let series: Series;
let pageFolder: string;
let served: ServedView;

beforeAll(async () => {
  const outside = await mkdtemp(join(tmpdir(), "weightgraph-view-"));
  await writeFile(join(outside, "secret.js"), "secret");
  pageFolder = join(outside, "page");
  await mkdir(join(pageFolder, "assets"), { recursive: true });
  await writeFile(join(pageFolder, "index.html"), "<title>page</title>");
  await writeFile(join(pageFolder, "assets", "main-x_1.js"), "1");
  series = await openSeries("fixtures/mnist-mlp");
  served = await serveView(series, { pageFolder, edgeBudget: 300 });
});
afterAll(() => served.close());

describe("the page", () => {
  test("is served with headers that keep it to itself", async () => {
    const { status, headers, body } = await ask(served.url, "/");
    expect(status).toBe(200);
    expect(body).toContain("<title>page</title>");
    expect(headers["content-type"]).toContain("text/html");
    expect(headers["cache-control"]).toBe("no-store");
    expect(headers["content-security-policy"]).toContain("default-src 'none'");
    expect((await ask(served.url, "/assets/main-x_1.js?v=1")).status).toBe(200);
  });

  test.each([
    "/../secret.js",
    "/assets/../../secret.js",
    "/%2e%2e/secret.js",
    "/..%2fsecret.js",
    "/assets/..\\..\\secret.js",
    "//etc/passwd",
    "/assets",
    "/assets/",
    "/nothing.js",
    "/index.html%00.js",
    "/.env",
  ])("%s is not found", async (path) => {
    const { status, body } = await ask(served.url, path);
    expect(status).toBe(404);
    expect(body).not.toContain("secret");
  });
});

describe("who may ask", () => {
  test.each([
    "evil.example",
    "evil.example:80",
    "127.0.0.1",
    "127.0.0.1:1",
    "localhost.evil.example",
  ])("Host %s is refused", async (host) => {
    expect((await ask(served.url, "/api/view", { host })).status).toBe(403);
  });

  test("localhost with the port is welcome", async () => {
    const host = `localhost:${new URL(served.url).port}`;
    expect((await ask(served.url, "/api/view", { host })).status).toBe(200);
  });

  test("only GET is answered", async () => {
    expect((await ask(served.url, "/", { method: "POST" })).status).toBe(405);
  });

  test("the server listens on this machine's loopback alone", () => {
    expect(served.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
  });
});

describe("the data", () => {
  test("structure: layers, epochs, metrics of the log", async () => {
    const { body } = await ask(served.url, "/api/view");
    const view = JSON.parse(body) as { layers: { size: number }[]; epochs: unknown[] };
    expect(view).toMatchObject({ schema: "weightgraph.view", version: 1, name: "mnist-mlp" });
    expect(view.layers.map(({ size }) => size)).toEqual([784, 32, 16, 10]);
    expect(view.epochs).toHaveLength(7);
    expect(view.epochs[6]).toMatchObject({ epoch: 6, metrics: { test_acc: 0.9449 } });
  });

  test("epochs differ, keep to the budget and state their share", async () => {
    const [first, last] = await Promise.all(
      [0, 6].map(async (index) => (await ask(served.url, `/api/epoch/${index}`)).body),
    );
    expect(first).not.toBe(last);
    const { edges, measures } = JSON.parse(last!) as {
      edges: { shown: number; total: number; share: number };
      measures: { values: unknown[] }[];
    };
    expect(edges).toMatchObject({ shown: 300, total: 25_760 });
    expect(edges.share).toBeGreaterThan(0.01);
    expect(edges.share).toBeLessThan(1);
    for (const { values } of measures) expect(values).toHaveLength(842);
  });

  test("a neuron's edges come from the whole graph, not from the reduction", async () => {
    const { body } = await ask(served.url, "/api/epoch/6/node/800");
    expect(JSON.parse(body)).toMatchObject({
      schema: "weightgraph.view.node",
      version: 1,
      node: 800,
      incomingCount: 784,
      outgoingCount: 16,
    });
  });

  test.each([
    "/api/epoch/7",
    "/api/epoch/-1",
    "/api/epoch/1e1",
    "/api/epoch/",
    "/api/epoch/0/node/842",
    "/api/epoch/9999999999",
    "/api/other",
  ])("%s is not found", async (path) => {
    const { status, body } = await ask(served.url, path);
    expect(status).toBe(404);
    expect(JSON.parse(body)).toMatchObject({ schema: "weightgraph.error", code: "NOT_FOUND" });
  });

  test("a snapshot of another network is an error of that epoch, told with its code", async () => {
    const other = await openSeries("fixtures/mnist-mlp");
    const [first] = other.snapshots;
    const broken = {
      ...other,
      snapshots: [
        first!,
        {
          ...first!,
          load: async () => {
            const model = await first!.load();
            const layers = model.topology.layers.map((layer) => ({
              ...layer,
              size: layer.size + 1,
            }));
            return { ...model, topology: { ...model.topology, layers } };
          },
        },
      ],
    };
    const view = await serveView(broken, { pageFolder });
    const { status, body } = await ask(view.url, "/api/epoch/1");
    await view.close();
    expect(status).toBe(500);
    expect(JSON.parse(body)).toMatchObject({ code: "SERIES_MISMATCH" });
  });
});

describe("opening and closing", () => {
  test.each([0, 200_001, 1.5, NaN])("a budget of %s is refused", async (edgeBudget) => {
    await expect(serveView(series, { pageFolder, edgeBudget })).rejects.toMatchObject({
      code: "USAGE_INVALID_OPTION",
    });
  });

  test("a page that was never built, a port in use, an empty series", async () => {
    const taken = Number(new URL(served.url).port);
    await expect(serveView(series, { pageFolder: "/nowhere" })).rejects.toMatchObject({
      code: "USAGE_INVALID_OPTION",
    });
    await expect(serveView(series, { pageFolder, port: taken })).rejects.toMatchObject({
      code: "USAGE_INVALID_OPTION",
    });
    await expect(serveView({ ...series, snapshots: [] }, { pageFolder })).rejects.toMatchObject({
      code: "SERIES_EMPTY",
    });
  });

  test("an abort closes the server and frees the port", async () => {
    const controller = new AbortController();
    const view = await serveView(series, { pageFolder, signal: controller.signal });
    await ask(view.url, "/");
    controller.abort();
    await view.closed;
    await expect(ask(view.url, "/")).rejects.toThrow("ECONNREFUSED");
    await expect(serveView(series, { pageFolder, signal: controller.signal })).rejects.toThrow(
      /abort/,
    );
  });
});
