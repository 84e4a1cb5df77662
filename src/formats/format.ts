import type { ByteSource } from "../bytes/source.ts";
import type { Model } from "../model/model.ts";

/** One file format: how to know it, how to read it. */
export interface Format {
  /** As in `Model.format`; a family of formats may share one reader. */
  readonly id: string;
  readonly title: string;
  /** Decides by content; `head` is the first 4096 bytes (fewer in a short file). Must not throw on foreign bytes. */
  recognises(head: Uint8Array, source: ByteSource): boolean | Promise<boolean>;
  /** @throws {FormatError} whatever is wrong with the file */
  read(source: ByteSource): Promise<Model>;
}
