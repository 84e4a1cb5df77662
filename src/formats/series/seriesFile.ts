import type { ByteSource } from "../../bytes/source.ts";
import { isWeightGraphError, type WeightGraphError } from "../../errors.ts";
import { epochOf, type CheckpointName } from "./epochOf.ts";

/** A file of the series' folder, not yet opened. */
export interface SeriesFile {
  /** Relative to the folder, `/` between parts. */
  readonly name: string;
  open(): Promise<ByteSource>;
}

/** When a checkpoint was written, and which run it belongs to. */
export interface CheckpointDate extends CheckpointName {
  /** The folder, with the epoch taken out of its name: equal for the checkpoints of one run. */
  readonly place: string;
}

/**
 * The date of a path: of the file's own name where a word stands by the number, else of the innermost folder with such a word
 * (`checkpoint-500/model.safetensors`, `epoch_3/saved/weights.h5`), else of a bare number in the file's name, else of a folder that
 * is a number alone.
 */
export function dateOf(path: string): CheckpointDate | null {
  const parts = path.split("/");
  const last = parts.length - 1;
  const names = parts.map((part, i) => (i < last && !/\d/.test(part) ? null : epochOf(part)));
  const named = names.findLastIndex((own) => own?.isNamed);
  const folder = names.findLastIndex(
    (own, i) => i < last && own !== null && /^\d+$/.test(parts[i]!),
  );
  const at = named !== -1 ? named : names[last] != null ? last : folder;
  const own = names[at];
  if (own == null) return null;
  const dated = parts.with(at, own.stem);
  const base = at === last ? own.stem : parts[last]!.replace(/(?:\.[a-z][a-z\d]*)+$/i, "");
  return {
    ...own,
    stem: dated.with(last, base).join("/"),
    place: dated.slice(0, -1).join("/"),
  };
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0));
}

/** At most eight names, and how many there are. */
export function listed(names: readonly string[]): string {
  return names.slice(0, 8).join(", ") + (names.length > 8 ? `, … (${names.length})` : "");
}

/** True for what is wrong with one file; limits of time and what was called off concern the whole. */
export function isFileError(error: unknown): error is WeightGraphError {
  return isWeightGraphError(error) && /^(?:FORMAT|FILE)_/.test(error.code);
}
