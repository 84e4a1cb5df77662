/** Folders of checkpoints in memory. */
import { memorySource, writeSafetensors, type Series, type SeriesFile } from "../../src/node.ts";

export const network = (inputs: number, name = "w"): Uint8Array =>
  writeSafetensors({
    tensors: [{ name, dtype: "float32", shape: [1, inputs], data: new Float32Array(inputs) }],
  });

export const folder = (content: Readonly<Record<string, Uint8Array | string>>): SeriesFile[] =>
  Object.entries(content).map(([name, data]) => {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    return { name, open: async () => memorySource(bytes, name) };
  });

export const codes = (series: { warnings: readonly { code: string }[] }): string[] =>
  series.warnings.map((warning) => warning.code);

export const epochsOf = (series: Series): number[] => series.snapshots.map(({ epoch }) => epoch);
export const messageOf = (series: Series, code: string): string =>
  series.warnings.find((warning) => warning.code === code)?.message ?? "";
