/** Keras configurations and files in a few words. */
import { memorySource, readModel, type Model } from "../../src/index.ts";
import { keras3File, kerasFile, type Valued } from "./hdf5.ts";
import { zipBytes } from "./numpy.ts";

type Config = Readonly<Record<string, unknown>>;

export function layer(
  className: string,
  name: string,
  config: Config = {},
  inbound?: unknown,
): Config {
  const node = inbound === undefined ? {} : { inbound_nodes: inbound };
  return { class_name: className, name, config: { name, ...config }, ...node };
}

export const input = (name: string, ...shape: readonly (number | null)[]): Config =>
  layer("InputLayer", name, { batch_input_shape: [null, ...shape] }, []);
export const from = (...names: readonly string[]): unknown => [
  names.map((name) => [name, 0, 0, {}]),
];
export const sequential = (...layers: readonly Config[]): Config => ({
  class_name: "Sequential",
  config: { name: "net", layers },
});

export function functional(
  layers: readonly Config[],
  inputs: readonly string[],
  outputs: readonly string[],
): Config {
  const ends = (names: readonly string[]): unknown => names.map((name) => [name, 0, 0]);
  return {
    class_name: "Functional",
    config: { name: "net", layers, input_layers: ends(inputs), output_layers: ends(outputs) },
  };
}

type Shapes = Readonly<Record<string, readonly number[] | Valued>>;

/** A file of Keras 2: weights by the layer that lists them. */
export async function keras2(
  config: Config,
  layers: Readonly<Record<string, Shapes>>,
): Promise<Model> {
  const weights = Object.entries(layers).map(([name, own]) => ({ name, weights: own }));
  return readModel(memorySource(await kerasFile(weights, config), "net.h5"));
}

/** A file of Keras 3: variables by their group, in order. */
export async function keras3(
  config: Config,
  groups: Readonly<Record<string, readonly (readonly number[] | Valued)[]>>,
): Promise<Model> {
  const bytes = await zipBytes({
    "config.json": new TextEncoder().encode(JSON.stringify(config)),
    "model.weights.h5": await keras3File(Object.entries(groups)),
  });
  return readModel(memorySource(bytes, "net.keras"));
}

export function call(...args: readonly (string | readonly unknown[])[]): unknown {
  const tensor = (name: string, node = 0): unknown => ({
    class_name: "__keras_tensor__",
    config: { shape: [null], dtype: "float32", keras_history: [name, node, 0] },
  });
  const one = (arg: unknown): unknown => {
    if (typeof arg === "string") return tensor(arg);
    const list = arg as readonly unknown[];
    return typeof list[1] === "number" ? tensor(list[0] as string, list[1]) : list.map(one);
  };
  return { args: args.map(one), kwargs: { mask: null } };
}

export interface KerasRow {
  readonly name: string;
  readonly model: () => Promise<Model>;
  readonly wires: readonly string[];
  readonly warnings?: readonly string[];
}
