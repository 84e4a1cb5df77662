/**
 * The layers and calls of a Keras model configuration, of every age: Sequential and functional, Keras 1 to 3, TensorFlow.js.
 */
import { FormatError } from "../errors.ts";
import { isJsonObject } from "./strictJson.ts";

type Json = Readonly<Record<string, unknown>>;
type Path = readonly (string | number)[];

export interface KerasLayer {
  readonly name: string;
  readonly className: string;
  readonly config: Json;
  /** True for a node of Keras' operations (`keras.ops.add`), which is no layer: it has no weights and counts for no name. */
  readonly isOperation: boolean;
  /** What each call of the layer reads; empty for an input. A shared layer is called more than once. */
  readonly calls: readonly KerasCall[];
  /** Layers of a model that stands as a layer, or inside one that repeats it over time. */
  readonly model: KerasNetwork | null;
}

export interface KerasCall {
  readonly reads: readonly KerasReference[];
  /** As it stands in the file, for what is neither layer nor weight: an axis, a slice. */
  readonly stated: unknown;
}

/** The output of another layer's call. */
export interface KerasReference {
  readonly layer: string;
  readonly call: number;
  /** Which of the call's outputs. */
  readonly tensor: number;
  /** The name under which it is handed over; null for one that is known by its place. */
  readonly argument: string | null;
}

export interface KerasNetwork {
  readonly className: string;
  readonly layers: readonly KerasLayer[];
  readonly inputs: readonly string[];
  readonly outputs: readonly KerasReference[];
}

const maxDepth = 64;

/**
 * Reads `{"class_name": …, "config": …}`. The layers of a Sequential model become a chain of calls.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_UNSUPPORTED` for a class that holds no list of layers (a subclassed model).
 */
export function parseKerasConfig(json: unknown, path: Path): KerasNetwork {
  const className = textOf(json, "class_name");
  const config = isJsonObject(json) ? json["config"] : undefined;
  const listed = layersOf(config);
  if (className === null || listed === null) {
    throw new FormatError("FORMAT_UNSUPPORTED", "the model configuration lists no layers", {
      path: [...path, "config", "layers"],
      hint: "A subclassed Keras model says its layers in Python alone: save its weights and read those.",
    });
  }
  if (path.length > 4 * maxDepth) {
    throw new FormatError("FORMAT_LIMIT", "models are nested without end", {
      path: path.slice(0, 4),
    });
  }
  const names = new Set(listed.map((layer: unknown) => nameOf(layer)));
  const isSequential = className === "Sequential" || Array.isArray(config);
  const layers: KerasLayer[] = [];
  const seen = new Set<string>();
  listed.forEach((entry: unknown, i) => {
    const at = [...path, "config", "layers", i];
    const layer = parseLayer(entry, { path: at, names });
    if (seen.has(layer.name)) {
      throw new FormatError("FORMAT_MALFORMED", `two layers are called ${layer.name}`, {
        path: at,
      });
    }
    seen.add(layer.name);
    const before = layers.at(-1);
    const chained = before === undefined ? [] : [{ reads: [outputOf(before)], stated: null }];
    layers.push(isSequential ? { ...layer, calls: chained } : layer);
  });
  const ends = isJsonObject(config) ? config : {};
  const last = layers.at(-1);
  return {
    className,
    layers,
    inputs: isSequential
      ? layers.slice(0, 1).map(({ name }) => name)
      : referencesIn(ends["input_layers"], names).map(({ layer }) => layer),
    outputs: isSequential
      ? last === undefined
        ? []
        : [outputOf(last)]
      : referencesIn(ends["output_layers"], names),
  };
}

function layersOf(config: unknown): readonly unknown[] | null {
  if (Array.isArray(config)) return config;
  const layers = isJsonObject(config) ? config["layers"] : undefined;
  return Array.isArray(layers) ? layers : null;
}

function outputOf({ name }: KerasLayer): KerasReference {
  return { layer: name, call: 0, tensor: 0, argument: null };
}

function parseLayer(
  entry: unknown,
  { path, names }: { path: Path; names: ReadonlySet<string> },
): KerasLayer {
  const className = textOf(entry, "class_name");
  const name = nameOf(entry);
  if (!isJsonObject(entry) || className === null || name === "") {
    throw new FormatError("FORMAT_MALFORMED", "a layer has no class or no name", { path });
  }
  const config = isJsonObject(entry["config"]) ? entry["config"] : {};
  const inbound = entry["inbound_nodes"];
  const calls = Array.isArray(inbound)
    ? inbound
        .map((call: unknown) => ({ reads: referencesIn(call, names), stated: call }))
        .filter(({ reads }) => reads.length > 0)
    : [];
  const isOperation = /^keras(\.src)?\.ops\./.test(textOf(entry, "module") ?? "");
  const own = isModel(entry) ? parseKerasConfig(entry, path) : null;
  const { layer: wrapped } = config;
  const model = own ?? (isModel(wrapped) ? parseKerasConfig(wrapped, [...path, "layer"]) : null);
  return { name, className, config, isOperation, calls, model };
}

/** By name, or a class of the user's own that lists layers as a functional model does. */
function isModel(entry: unknown): boolean {
  const className = textOf(entry, "class_name") ?? "";
  if (["Model", "Functional", "Sequential"].includes(className)) return true;
  const config = isJsonObject(entry) ? entry["config"] : undefined;
  if (!isJsonObject(config) || className === "Merge") return false;
  return Array.isArray(config["layers"]) && Array.isArray(config["output_layers"]);
}

/** Every `[name, call, tensor]` inside `value`, in order; names of no layer are something else. */
function referencesIn(
  value: unknown,
  names: ReadonlySet<string>,
  argument: string | null = null,
): KerasReference[] {
  if (Array.isArray(value)) {
    const [layer, call, tensor] = value as unknown[];
    if (typeof layer === "string" && names.has(layer) && isIndex(call) && isIndex(tensor)) {
      return [{ layer, call, tensor, argument }, ...referencesIn(value.slice(3), names, argument)];
    }
    return value.flatMap((entry) => referencesIn(entry, names, argument));
  }
  if (!isJsonObject(value)) return [];
  const isPlace = (key: string): boolean =>
    ["args", "kwargs", "config", "keras_history", "items"].includes(key);
  return Object.entries(value).flatMap(([key, entry]) =>
    referencesIn(entry, names, isPlace(key) ? argument : key),
  );
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function nameOf(entry: unknown): string {
  const config = isJsonObject(entry) ? entry["config"] : undefined;
  return textOf(entry, "name") ?? textOf(config, "name") ?? "";
}

export function textOf(value: unknown, key: string): string | null {
  const text = isJsonObject(value) ? value[key] : undefined;
  return typeof text === "string" ? text : null;
}
