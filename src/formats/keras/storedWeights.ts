/** Where Keras puts weights in an HDF5 file: two generations of layout. */
import type { Hdf5 } from "../../bytes/hdf5.ts";
import { naturalOrder } from "../../model/naturalOrder.ts";

/** The weights of one layer, in the layer's own order. */
export interface KerasGroup {
  readonly layer: string;
  readonly weights: readonly KerasWeight[];
}

interface KerasWeight {
  /** As Keras calls it: `conv2d_1/kernel:0`; in the newer layout its path, `layers/dense/vars/0`. */
  readonly name: string;
  /** In the file. */
  readonly path: string;
  readonly shape: readonly number[];
  readonly type: string | null;
}

/** Empty for a file that is not of Keras. Cost: reads attributes and shapes, no values. */
export function storedWeights(file: Hdf5): KerasGroup[] {
  const root = file.members("/").includes("model_weights") ? "/model_weights" : "";
  const layers = listAttribute(file, `${root}/`, "layer_names");
  return layers === null ? numberedVariables(file) : namedWeights(file, root, layers);
}

/** Keras 1 and 2: a group per layer, which lists its weights by name. */
function namedWeights(file: Hdf5, root: string, layers: readonly string[]): KerasGroup[] {
  const taken = new Set<string>();
  return layers.map((layer) => {
    const names = listAttribute(file, `${root}/${layer}`, "weight_names") ?? [];
    const weights = names.flatMap((own): KerasWeight[] => {
      const path = `${root}/${layer}/${own}`;
      const array = file.array(path);
      if (array === null) return [];
      const name = taken.has(own) ? `${layer}/${own}` : own;
      taken.add(name);
      return [{ name, path, ...array }];
    });
    return { layer, weights };
  });
}

/** Keras 3: groups named after layers, whose group `vars` numbers its variables. Sublayers are groups inside. */
function numberedVariables(file: Hdf5): KerasGroup[] {
  const root = file
    .members("/")
    .find((name) => name === "layers" || name === "_layer_checkpoint_dependencies");
  if (root === undefined) return [];
  return [...file.members(`/${root}`)].sort(naturalOrder).map((layer) => ({
    layer,
    weights: variablesIn(file, `/${root}/${layer}`, 0),
  }));
}

const maxDepth = 32;

function variablesIn(file: Hdf5, path: string, depth: number): KerasWeight[] {
  const array = file.array(path);
  if (array !== null) return [{ name: path.slice(1), path, ...array }];
  if (depth >= maxDepth) return [];
  const members = [...file.members(path)].sort(naturalOrder);
  return members.flatMap((name) => variablesIn(file, `${path}/${name}`, depth + 1));
}

/** Lists too long for one attribute are cut into `name0`, `name1`, …. */
function listAttribute(file: Hdf5, path: string, name: string): readonly string[] | null {
  const whole = file.texts(path, name);
  if (whole !== null) return whole;
  const parts: string[] = [];
  for (let i = 0; ; i++) {
    const part = file.texts(path, `${name}${i}`);
    if (part === null) return i === 0 ? null : parts;
    parts.push(...part);
  }
}
