/** Stored weights and, where there is one, a configuration, as a model. */
import { FormatError, isWeightGraphError } from "../../errors.ts";
import { chainLayers } from "../../model/chainLayers.ts";
import type { Model, ModelWarning, StoredTensor } from "../../model/model.ts";
import { parseKerasConfig, type KerasNetwork } from "../kerasConfig.ts";
import { kerasKernel, namedVariable, type KerasVariable } from "../kerasKernels.ts";
import { traceKeras } from "../kerasTopology.ts";
import { variableRole } from "../kerasVariables.ts";
import { stateDictModel } from "../stateDict.ts";
import { parseStrictJson } from "../strictJson.ts";
import {
  namedLayerWeights,
  numberedGroups,
  numberedLayerWeights,
  numberedVariables,
} from "./layerWeights.ts";
import { withScales } from "./quantised.ts";
import { storedTensor } from "./storedTensor.ts";
import type { KerasWeight, StoredWeights } from "./storedWeights.ts";

export interface KerasFile {
  readonly format: string;
  readonly name: string;
  /** The configuration's text. */
  readonly config: string | null;
  readonly version: string | null;
  /** Whether the arrays lie in the file itself as it is on the disk. */
  readonly place: boolean;
}

/** @throws {FormatError} `FORMAT_NO_WEIGHTS`, `FORMAT_UNSUPPORTED`, `FORMAT_MALFORMED` */
export function kerasModel(stored: StoredWeights, file: KerasFile): Model {
  const { format, name, version, place } = file;
  if (stored.weights.length === 0) {
    throw new FormatError("FORMAT_NO_WEIGHTS", "the HDF5 file holds no arrays of numbers", {
      path: [name],
      hint: "HDF5 is read where Keras wrote weights (model.save, model.save_weights) or arrays stand.",
    });
  }
  const producer = version === null ? null : `keras ${version}`;
  const missing = missingWarnings(stored);
  const options = { path: [name], place };
  if (stored.layout === "plain" && file.config === null) {
    const tensors = stored.weights.map((weight) => storedTensor(weight, options));
    const model = stateDictModel({ name, format, tensors, metadata: {}, orientation: "unknown" });
    return { ...model, producer, warnings: [...model.warnings, ...missing] };
  }
  const { network, refused } = networkOf(file);
  const mapped = network === null ? new Map() : numberedGroups(network, stored);
  const isNamed = stored.layout === "named";
  const variables: ReadonlyMap<KerasWeight, KerasVariable> = isNamed
    ? new Map(stored.weights.map((weight) => [weight, namedVariable(weight)]))
    : numberedVariables(stored, mapped);
  const tensors = new Map<KerasWeight, StoredTensor>();
  const known = new Map<StoredTensor, KerasVariable>();
  for (const weight of stored.weights) {
    const own = storedTensor(weight, options);
    const variable = variables.get(weight)!;
    const tensor = { ...own, role: variableRole(variable.variable, own) };
    tensors.set(weight, tensor);
    known.set(tensor, variable);
  }
  if (!isNamed) dequantise(tensors, known);
  const all = [...tensors.values()];
  const variableOf = (tensor: StoredTensor): KerasVariable => known.get(tensor)!;
  const about = { name, format, producer, metadata: {} };
  if (network === null) {
    const weights = all.filter(({ role }) => role === "weight");
    const chain = chainLayers(
      weights.map((tensor) => kerasKernel(tensor, null, { known: variableOf(tensor) })),
    );
    const { layers, topology, warnings } = chain;
    return {
      ...about,
      tensors: all,
      layers,
      topology,
      warnings: [...warnings, ...refused, ...missing],
    };
  }
  const weightsOf = isNamed
    ? namedLayerWeights(groupsOf(tensors))
    : numberedLayerWeights(mapped, tensors);
  const { layers, topology, geometry, warnings } = traceKeras(network, weightsOf, { variableOf });
  const used = new Set(layers.map(({ tensor }) => tensor));
  const lost = new Set(all.filter((tensor) => tensor.role === "weight" && !used.has(tensor)));
  return {
    ...about,
    // What no layer of the configuration reads is not explained.
    tensors: all.map((tensor) => (lost.has(tensor) ? { ...tensor, role: "unknown" } : tensor)),
    layers,
    topology,
    geometry,
    warnings: [...warnings, ...unusedWarnings([...lost]), ...missing],
  };
}

/** Python writes numbers that JSON has no words for; none of them says how layers connect. */
function plainJson(text: string): string {
  return text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\b(?:NaN|Infinity)\b/g, (found) =>
    found.startsWith('"') ? found : "null",
  );
}

/** Codes of groups that hold scales too, in place. */
function dequantise(
  tensors: Map<KerasWeight, StoredTensor>,
  known: Map<StoredTensor, KerasVariable>,
): void {
  const groups = new Map<string, KerasWeight[]>();
  for (const [weight, { dtype }] of tensors) {
    if (dtype === "int8") groups.set(weight.group, []);
  }
  for (const weight of tensors.keys()) groups.get(weight.group)?.push(weight);
  for (const group of groups.values()) {
    const old = group.map((weight) => tensors.get(weight)!);
    for (const [i, tensor] of withScales(old, (one) => known.get(one)!).entries()) {
      tensors.set(group[i]!, tensor);
      known.set(tensor, known.get(old[i]!)!);
    }
  }
}

/** Null, with a warning, for a configuration that lists no layers: of a subclassed model. */
function networkOf({ config, name, format }: KerasFile): {
  readonly network: KerasNetwork | null;
  readonly refused: readonly ModelWarning[];
} {
  if (config === null) return { network: null, refused: [] };
  const path = [name, format === "keras-v3" ? "config.json" : "model_config"];
  const json = parseStrictJson(new TextEncoder().encode(plainJson(config)), { path });
  try {
    return { network: parseKerasConfig(json, path), refused: [] };
  } catch (error) {
    if (!isWeightGraphError(error, "FORMAT_UNSUPPORTED")) throw error;
    const message =
      "the configuration lists no layers (a subclassed model), so they are chained by shape";
    return { network: null, refused: [{ code: "CONFIG_WITHOUT_LAYERS", message }] };
  }
}

function groupsOf(tensors: ReadonlyMap<KerasWeight, StoredTensor>): Map<string, StoredTensor[]> {
  const groups = new Map<string, StoredTensor[]>();
  for (const [{ group }, tensor] of tensors)
    groups.set(group, [...(groups.get(group) ?? []), tensor]);
  return groups;
}

function unusedWarnings(lost: readonly StoredTensor[]): ModelWarning[] {
  if (lost.length === 0) return [];
  const message = `no layer of the configuration uses ${lost.map(({ name }) => name).join(", ")}`;
  return [{ code: "WEIGHTS_UNUSED", message }];
}

function missingWarnings({ missing }: StoredWeights): ModelWarning[] {
  if (missing.length === 0) return [];
  const named = missing.slice(0, 16).join(", ") + (missing.length > 16 ? ", …" : "");
  return [{ code: "ARRAYS_LEFT_OUT", message: `no arrays of numbers: ${named}` }];
}
