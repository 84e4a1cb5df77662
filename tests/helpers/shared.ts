/** The real models and data sets beside the checkout; a user's clone has none, and tests say so. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../../shared/data/", import.meta.url));

export const hasSharedData: boolean = existsSync(folder);
if (!hasSharedData) console.warn(`skipped: no ${folder}, so no test on the real models runs`);

export function sharedPath(relativePath: string): string {
  return folder + relativePath;
}

export interface ExpectedLayer {
  readonly name: string;
  readonly op?: string;
  readonly kind: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly in: number;
  readonly out: number;
  readonly numel: number;
  readonly nonzero: number;
  readonly sum: number;
  readonly sum_abs: number;
  readonly min: number;
  readonly max: number;
  readonly l2: number;
  readonly out_strength: Readonly<Record<"mean" | "std" | "min" | "max", number>>;
  readonly in_strength: Readonly<Record<"mean" | "std" | "min" | "max", number>> | null;
}

export interface ExpectedModel {
  readonly weight_layers: number;
  readonly weights: number;
  readonly layers: readonly ExpectedLayer[];
}

/** EXPECTED.json: computed by onnx, numpy, h5py and torch, not by this project. Empty where the data are absent. */
export function expectedModels(): Readonly<Record<string, ExpectedModel>> {
  if (!hasSharedData) return {};
  return (
    JSON.parse(readFileSync(sharedPath("EXPECTED.json"), "utf8")) as {
      models: Record<string, ExpectedModel>;
    }
  ).models;
}
