/** Keras HDF5 files written in memory by the HDF5 library. */
import * as h5wasm from "h5wasm";

/** Values of their own beside a shape. */
export interface Valued {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

type Described = readonly number[] | Valued;

export interface KerasFileLayer {
  readonly name: string;
  readonly weights: Readonly<Record<string, Described>>;
}

interface WrittenArray {
  readonly data: Float32Array;
  readonly shape: number[];
}

function arrayOf(described: Described, valueAt: (i: number) => number): WrittenArray {
  const isValued = (own: Described): own is Valued => !Array.isArray(own);
  const { shape, values } = isValued(described) ? described : { shape: described, values: null };
  const count = shape.reduce((product, size) => product * size, 1);
  const data = Float32Array.from({ length: count }, (_, i) => values?.[i] ?? valueAt(i));
  return { data, shape: [...shape] };
}

/** Values 1, 2, 3, … unless given; shapes by weight name, such as `fc/kernel:0`. */
export async function kerasFile(
  layers: readonly KerasFileLayer[],
  config?: object,
): Promise<Uint8Array> {
  const module = await h5wasm.ready;
  const file = new h5wasm.File("written.h5", "w");
  file.create_attribute("keras_version", "2.11.0");
  if (config !== undefined) file.create_attribute("model_config", JSON.stringify(config));
  const root = config === undefined ? file : file.create_group("model_weights");
  root.create_attribute(
    "layer_names",
    layers.map(({ name }) => name),
  );
  for (const { name, weights } of layers) {
    const group = root.create_group(name);
    const names = Object.keys(weights);
    if (names.length > 0) group.create_attribute("weight_names", names);
    for (const [own, described] of Object.entries(weights)) {
      writeArray(
        group,
        own,
        arrayOf(described, (i) => i + 1),
      );
    }
  }
  return finish(file, module);
}

/** The newer layout: `layers/NAME/vars/N`; a name may lead into groups of its own. */
export async function keras3File(
  layers: readonly (readonly [string, readonly Described[]])[],
): Promise<Uint8Array> {
  const module = await h5wasm.ready;
  const file = new h5wasm.File("written.h5", "w");
  const root = file.create_group("layers");
  for (const [name, shapes] of layers) {
    shapes.forEach((described, i) => {
      writeArray(
        root,
        `${name}/vars/${i}`,
        arrayOf(described, () => 0),
      );
    });
  }
  return finish(file, module);
}

function writeArray(group: h5wasm.Group, path: string, array: WrittenArray): void {
  const parts = path.split("/");
  const name = parts.pop()!;
  let at = group;
  for (const part of parts) {
    at = at.keys().includes(part) ? (at.get(part) as h5wasm.Group) : at.create_group(part);
  }
  at.create_dataset({ name, ...array });
}

function finish(file: h5wasm.File, module: Awaited<typeof h5wasm.ready>): Uint8Array {
  file.flush();
  file.close();
  const system = module.FS as unknown as { readFile(name: string): Uint8Array };
  return system.readFile("written.h5").slice();
}
