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
  /** What each call of the layer reads; empty for an input. A shared layer is called more than once. */
  readonly calls: readonly (readonly KerasReference[])[];
  /** Layers of a model that stands as a layer. */
  readonly model: KerasNetwork | null;
}

/** The output of another layer's call. */
export interface KerasReference {
  readonly layer: string;
  readonly call: number;
  /** Which of the call's outputs. */
  readonly tensor: number;
}

export interface KerasNetwork {
  readonly layers: readonly KerasLayer[];
  readonly inputs: readonly string[];
  readonly outputs: readonly KerasReference[];
}

/**
 * Reads `{"class_name": …, "config": …}`. The layers of a Sequential model become a chain of calls.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_UNSUPPORTED` for a class that holds no list of layers (a subclassed model).
 */
export function parseKerasConfig(json: unknown, path: Path): KerasNetwork {
  const className = textOf(json, "class_name");
  const config = isJsonObject(json) ? json["config"] : undefined;
  const listed = Array.isArray(config)
    ? config
    : isJsonObject(config)
      ? config["layers"]
      : undefined;
  if (className === null || !Array.isArray(listed)) {
    throw new FormatError("FORMAT_UNSUPPORTED", "the model configuration lists no layers", {
      path: [...path, "config", "layers"],
      hint: "A subclassed Keras model says its layers in Python alone: save its weights and read those.",
    });
  }
  const names = new Set(listed.map((layer: unknown) => nameOf(layer)));
  const isSequential = className === "Sequential";
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
    const chained = before === undefined ? [] : [[{ layer: before.name, call: 0, tensor: 0 }]];
    layers.push(isSequential ? { ...layer, calls: chained } : layer);
  });
  const ends = isJsonObject(config) ? config : {};
  const last = layers.at(-1);
  const lastOnly = last === undefined ? [] : [{ layer: last.name, call: 0, tensor: 0 }];
  return {
    layers,
    inputs: isSequential
      ? layers.slice(0, 1).map(({ name }) => name)
      : referencesIn(ends["input_layers"], names).map(({ layer }) => layer),
    outputs: isSequential ? lastOnly : referencesIn(ends["output_layers"], names),
  };
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
  const isModel = ["Model", "Functional", "Sequential"].includes(className);
  const inbound = entry["inbound_nodes"];
  const calls = Array.isArray(inbound)
    ? callsOf(inbound, names).filter((references) => references.length > 0)
    : [];
  return { name, className, config, calls, model: isModel ? parseKerasConfig(entry, path) : null };
}

/** `[[["a", 0, 0, {}], …], …]`, of one input also `[["a", 0, 0, {}]]`, in Keras 3 `[{"args": […], "kwargs": {…}}]`. */
function callsOf(inbound: readonly unknown[], names: ReadonlySet<string>): KerasReference[][] {
  return inbound.map((call) => referencesIn(call, names));
}

/** Every `[name, call, tensor]` inside `value`, in order; names of no layer are something else. */
function referencesIn(value: unknown, names: ReadonlySet<string>): KerasReference[] {
  if (Array.isArray(value)) {
    const [layer, call, tensor] = value as unknown[];
    if (typeof layer === "string" && names.has(layer) && isIndex(call) && isIndex(tensor)) {
      return [{ layer, call, tensor }, ...referencesIn(value.slice(3), names)];
    }
    return value.flatMap((entry) => referencesIn(entry, names));
  }
  if (!isJsonObject(value)) return [];
  return Object.values(value).flatMap((entry) => referencesIn(entry, names));
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function nameOf(entry: unknown): string {
  const config = isJsonObject(entry) ? entry["config"] : undefined;
  return textOf(entry, "name") ?? textOf(config, "name") ?? "";
}

function textOf(value: unknown, key: string): string | null {
  const text = isJsonObject(value) ? value[key] : undefined;
  return typeof text === "string" ? text : null;
}
