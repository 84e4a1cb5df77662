import type { Model, StoredTensor, TensorRole } from "../../model/model.ts";
import { parseKerasConfig } from "../kerasConfig.ts";
import { kerasRole } from "../kerasKernels.ts";
import { traceKeras } from "../kerasTopology.ts";
import { isJsonObject, parseStrictJson } from "../strictJson.ts";
import type { Manifest, ManifestTensor } from "./weights.ts";

/** What a topology makes of a manifest's tensors. */
export type ReadTopology = Pick<Model, "tensors" | "layers" | "topology" | "geometry" | "warnings">;

/**
 * A layers-model: the topology is a Keras configuration, tensors belong to the layer that their name begins with (or, inside a
 * nested model, has among its parts).
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_UNSUPPORTED`
 */
export function readLayersModel(
  { tensors, integers }: Manifest,
  modelTopology: unknown,
  path: readonly (string | number)[],
): ReadTopology {
  const network = parseKerasConfig(configOf(modelTopology, path), path);
  const placed = tensors.map((tensor): StoredTensor => ({
    ...tensor,
    role: manifestRole(tensor, integers),
  }));
  const byPart = new Map<string, StoredTensor[]>();
  for (const tensor of placed) {
    for (const part of new Set(tensor.name.split("/").slice(0, -1))) {
      byPart.set(part, [...(byPart.get(part) ?? []), tensor]);
    }
  }
  const traced = traceKeras(network, (layer, parents) => {
    const named = byPart.get(layer) ?? [];
    const own = named.filter(({ name }) => name.startsWith(`${layer}/`));
    const inside = named.filter(({ name }) =>
      parents.some((parent) => name.startsWith(`${parent}/`)),
    );
    if (inside.length > 0) return inside;
    return own.length > 0 ? own : named;
  });
  const known = new Set(traced.layers.map(({ tensor }) => tensor));
  const lost = placed.filter((tensor) => tensor.role === "weight" && !known.has(tensor));
  const warnings = [...traced.warnings];
  if (lost.length > 0) {
    const message = `no layer of the configuration uses ${lost.map(({ name }) => name).join(", ")}`;
    warnings.push({ code: "WEIGHTS_UNUSED", message });
  }
  return {
    ...traced,
    warnings,
    tensors: placed.map((tensor) =>
      lost.includes(tensor) ? { ...tensor, role: "unknown" } : tensor,
    ),
  };
}

/** The Keras configuration: as it is, under `model_config`, or there as text. */
function configOf(modelTopology: unknown, path: readonly (string | number)[]): unknown {
  const config = isJsonObject(modelTopology) ? modelTopology["model_config"] : undefined;
  if (typeof config !== "string") return config ?? modelTopology;
  return parseStrictJson(new TextEncoder().encode(config), { path: [...path, "model_config"] });
}

/** By name and shape; whole numbers are constants, complex ones are not understood. */
export function manifestRole(
  { name, shape, dtype }: ManifestTensor,
  integers: ReadonlySet<string>,
): TensorRole {
  if (integers.has(name)) return "constant";
  return dtype === "complex64" ? "unknown" : kerasRole(name, shape, dtype);
}
