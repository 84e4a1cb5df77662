/** Where Keras puts weights in an HDF5 file: groups that list their weights by name, or numbered variables. */
import type { Hdf5, Hdf5Array } from "../../bytes/hdf5.ts";
import { FormatError } from "../../errors.ts";
import { naturalOrder } from "../../model/naturalOrder.ts";

export interface KerasWeight {
  /** As Keras calls it: `conv2d_1/kernel:0`; in the newer layout its path, `layers/dense/vars/0`. */
  readonly name: string;
  /** The group that it belongs to: a layer's name, or its path without `vars`. */
  readonly group: string;
  readonly array: Hdf5Array;
  /** What the file says of bytes that HDF5 has no type for: `bfloat16`. */
  readonly noted: string | null;
  /** The shard that it lies in; absent for the model's own file. */
  readonly file?: string;
}

export interface StoredWeights {
  /** `plain`: arrays that nobody says a layer of. */
  readonly layout: "named" | "numbered" | "plain";
  readonly weights: readonly KerasWeight[];
  /** Names that a group lists without there being an array, and arrays that hold no numbers. */
  readonly missing: readonly string[];
  /** Names that newer files note of a numbered group: path to layer name. */
  readonly layerNames: ReadonlyMap<string, string>;
}

/** Cost: reads attributes and shapes, no values. @throws {FormatError} what is wrong with the file */
export async function storedWeights(file: Hdf5): Promise<StoredWeights> {
  const top = await file.members("/");
  const root = top.includes("model_weights") ? "/model_weights" : "";
  const layers = await listAttribute(file, `${root}/`, "layer_names");
  const named = layers && (await namedWeights(file, root, layers));
  return named !== null && named.weights.length > 0 ? named : walkedWeights(file);
}

/** Keras 1 and 2, and what Keras 3 writes as `.h5`: a group per layer, which lists its weights by name. */
async function namedWeights(
  file: Hdf5,
  root: string,
  layers: readonly string[],
): Promise<StoredWeights> {
  const taken = new Set<string>();
  const weights: KerasWeight[] = [];
  const missing: string[] = [];
  const groups = [...new Set([...layers, "top_level_model_weights"])];
  for (const group of groups) {
    const names = (await listAttribute(file, `${root}/${group}`, "weight_names")) ?? [];
    for (const own of names) {
      const path = `${root}/${group}/${own}`;
      const array = await file.array(path);
      const name = taken.has(own) ? `${group}/${own}` : own;
      taken.add(name);
      if (array?.type == null) missing.push(name);
      else weights.push({ name, group, array, noted: await noted(file, path, array) });
    }
  }
  return { layout: "named", weights, missing, layerNames: new Map() };
}

/** Parts of a training that are no weights. */
const foreign =
  /^_?(optimizer(_weights)?|metrics|compile_metrics|loss_tracker|.*_metrics?|.*_tracker)$/;
const maxDepth = 64;
const maxArrays = 2 ** 17;

/** Keras 3: groups whose group `vars` numbers their variables. Else every array there is. */
async function walkedWeights(file: Hdf5): Promise<StoredWeights> {
  const weights: KerasWeight[] = [];
  const missing: string[] = [];
  const layerNames = new Map<string, string>();
  const seen = new Set<number>();
  const walk = async (path: string, depth: number): Promise<void> => {
    const identity = await file.identity(path === "" ? "/" : path);
    if (identity === null || seen.has(identity)) return;
    seen.add(identity);
    if (depth > maxDepth || seen.size > maxArrays) {
      throw new FormatError("FORMAT_LIMIT", "groups are nested without end", {
        path: [...file.store.path, path],
      });
    }
    const array = path === "" ? null : await file.array(path);
    if (array === null) {
      const [name] = path.endsWith("/vars") ? ((await file.texts(path, "name")) ?? []) : [];
      if (name !== undefined) layerNames.set(groupOf(path), name);
      const members = [...(await file.members(path === "" ? "/" : path))].sort(naturalOrder);
      for (const member of members) {
        if (path !== "" || !foreign.test(member)) await walk(`${path}/${member}`, depth + 1);
      }
      return;
    }
    const name = partsOf(path).join("/");
    const bytes = await noted(file, path, array);
    if (array.type === null || (array.type === "opaque" && bytes === null)) missing.push(name);
    else weights.push({ name, group: groupOf(path), array, noted: bytes });
  };
  await walk("", 0);
  const isNumbered = weights.some(({ name }) => /(^|\/)vars\/\d+$/.test(name));
  return { layout: isNumbered ? "numbered" : "plain", weights, missing, layerNames };
}

/** On Windows an early Keras wrote paths as names. */
function partsOf(path: string): string[] {
  return path.split(/[/\\]/).filter((part) => part !== "");
}

function groupOf(path: string): string {
  const parts = partsOf(path);
  const at = parts.lastIndexOf("vars");
  return parts.slice(0, at === -1 ? -1 : at).join("/");
}

async function noted(file: Hdf5, path: string, { type }: Hdf5Array): Promise<string | null> {
  return type === "opaque" ? ((await file.texts(path, "dtype"))?.[0] ?? null) : null;
}

/** Lists too long for one attribute are cut into `name0`, `name1`, …. */
async function listAttribute(
  file: Hdf5,
  path: string,
  name: string,
): Promise<readonly string[] | null> {
  const whole = await file.texts(path, name);
  if (whole !== null) return whole;
  const parts: string[] = [];
  for (let i = 0; ; i++) {
    const part = await file.texts(path, `${name}${i}`);
    if (part === null) return i === 0 ? null : parts;
    parts.push(...part);
  }
}
