/** Models that TensorFlow.js itself saves and loads, through files in memory. */
import * as tf from "@tensorflow/tfjs";
import {
  joinPieces,
  memorySource,
  patchModel,
  readModel,
  type ByteSource,
  type FloatArray,
  type PatchedFile,
} from "../../src/index.ts";

export interface TfjsFiles {
  /** The JSON of the model file. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly shards: Readonly<Record<string, Uint8Array>>;
}

/** What `tf.LayersModel.save` hands out, its weights cut into shards of `shardLength` bytes. */
export async function savedFiles(model: tf.LayersModel, shardLength: number): Promise<TfjsFiles> {
  let kept: tf.io.ModelArtifacts | null = null as tf.io.ModelArtifacts | null;
  const keep = tf.io.withSaveHandler(async (artifacts) => {
    kept = artifacts;
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
  });
  await model.save(keep);
  const { weightData, weightSpecs, ...rest } = kept!;
  const buffers = Array.isArray(weightData) ? weightData : [weightData as ArrayBuffer];
  const run = Uint8Array.from(buffers.flatMap((buffer) => [...new Uint8Array(buffer)]));
  const cut = (i: number): Uint8Array => run.slice(i * shardLength, (i + 1) * shardLength);
  const shards = Object.fromEntries(
    Array.from({ length: Math.ceil(run.length / shardLength) }, (_, i) => [`s/${i}.bin`, cut(i)]),
  );
  const weightsManifest = [{ paths: Object.keys(shards), weights: weightSpecs }];
  return { json: { ...rest, weightsManifest }, shards };
}

export function sourceOf({ json, shards }: TfjsFiles): ByteSource {
  return memorySource(new TextEncoder().encode(JSON.stringify(json)), "model.json", shards);
}

/** The files with new weights, by our own patching. */
export async function patchedFiles(
  files: TfjsFiles,
  changes: ReadonlyMap<string, FloatArray>,
): Promise<TfjsFiles> {
  const source = sourceOf(files);
  return filesOf(await patchModel(source, await readModel(source), changes), files.shards);
}

/** Written files, with `others` that were not written anew. */
export async function filesOf(
  written: readonly PatchedFile[],
  others: TfjsFiles["shards"] = {},
): Promise<TfjsFiles> {
  const shards: Record<string, Uint8Array> = { ...others };
  let json: TfjsFiles["json"] = {};
  for (const { file, pieces } of written) {
    const bytes = await joinPieces(pieces);
    if (file === null) json = JSON.parse(new TextDecoder().decode(bytes)) as TfjsFiles["json"];
    else shards[file] = bytes;
  }
  return { json, shards };
}

/** A handler as `tf.loadLayersModel` and `tf.loadGraphModel` take it. */
export function handlerOf({ json, shards }: TfjsFiles): tf.io.IOHandler {
  const groups = json["weightsManifest"] as tf.io.WeightsManifestConfig;
  const run = groups.flatMap(({ paths }) => paths.map((path) => shards[path]!));
  const weightData = Uint8Array.from(run.flatMap((bytes) => [...bytes])).buffer;
  const artifacts = {
    ...json,
    weightSpecs: groups.flatMap(({ weights }) => weights),
    weightData,
  } as tf.io.ModelArtifacts;
  return { load: () => Promise.resolve(artifacts) };
}
