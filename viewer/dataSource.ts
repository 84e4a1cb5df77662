import type { NodeEdges, ViewEpoch, ViewStructure } from "../src/index.ts";

/** The server's documents; each is asked for once. */
export interface DataSource {
  structure(): Promise<ViewStructure>;
  epoch(index: number): Promise<ViewEpoch>;
  edgesOf(index: number, node: number): Promise<NodeEdges>;
}

export function dataSource(): DataSource {
  const kept = new Map<string, Promise<unknown>>();
  const get = async <T>(path: string): Promise<T> => {
    const found = kept.get(path) ?? fetchJson(path);
    kept.set(path, found);
    try {
      return (await found) as T;
    } catch (error) {
      kept.delete(path);
      throw error;
    }
  };
  return {
    structure: () => get("api/view"),
    epoch: (index) => get(`api/epoch/${index}`),
    edgesOf: (index, node) => get(`api/epoch/${index}/node/${node}`),
  };
}

async function fetchJson(path: string): Promise<unknown> {
  const response = await fetch(path);
  const document = (await response.json()) as { readonly message?: string };
  if (!response.ok) throw new Error(document.message ?? `the server answered ${response.status}`);
  return document;
}
