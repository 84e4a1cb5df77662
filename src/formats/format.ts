import type { Piece } from "../bytes/pieces.ts";
import type { ByteSource } from "../bytes/source.ts";
import type { Model } from "../model/model.ts";
import type { FloatArray } from "../tensor/dtype.ts";

/** One file format: how to know it, how to read it, how to put new weights into a copy of a file. */
export interface Format {
  /** As in `Model.format`; a family of formats may share one reader. */
  readonly id: string;
  readonly title: string;
  /** Decides by content; `head` is the first 4096 bytes (fewer in a short file). Must not throw on foreign bytes. */
  recognises(head: Uint8Array, source: ByteSource): boolean | Promise<boolean>;
  /** @throws {FormatError} whatever is wrong with the file */
  read(source: ByteSource): Promise<Model>;
  /**
   * A copy of the files with new values, where more than the tensors' own bytes has to change (a checksum, a packed entry).
   * Absent where every tensor that can be changed has a `location`: then only those bytes change.
   * @throws {FormatError} `FORMAT_UNSUPPORTED`; {ShapeError} `SHAPE_MISMATCH`; {UsageError} `USAGE_INVALID_OPTION`
   */
  patch?(source: ByteSource, model: Model, changes: TensorChanges): Promise<readonly PatchedFile[]>;
}

/** New values by tensor name, in stored order; they are rounded to the tensor's own type. */
export type TensorChanges = ReadonlyMap<string, FloatArray>;

/** A file of the model after a change. */
export interface PatchedFile {
  /** Path relative to the model file, or null for the model file itself. */
  readonly file: string | null;
  readonly pieces: readonly Piece[];
}
