/** Zip archives by zip.js, which shares no code with ours. */
import {
  Uint8ArrayReader,
  Uint8ArrayWriter,
  ZipReader,
  ZipWriter,
  configure,
  type ZipWriterAddDataOptions,
} from "@zip.js/zip.js";

configure({ useWebWorkers: false });

export type ZipFiles = Readonly<Record<string, Uint8Array>>;

/** `level: 0` stores; `dataDescriptor` puts sizes behind the bytes; `zip64`, `extraField`, `comment`, `password` as in zip.js. */
export async function zipArchive(
  files: ZipFiles,
  options: ZipWriterAddDataOptions | ((name: string) => ZipWriterAddDataOptions) = {},
): Promise<Uint8Array> {
  const writer = new ZipWriter(new Uint8ArrayWriter());
  for (const [name, bytes] of Object.entries(files)) {
    const own = typeof options === "function" ? options(name) : options;
    await writer.add(name, new Uint8ArrayReader(bytes), own);
  }
  return writer.close();
}

/** Every file, its checksum compared. */
export async function unzipped(bytes: Uint8Array): Promise<Record<string, Uint8Array>> {
  const reader = new ZipReader(new Uint8ArrayReader(bytes), { checkSignature: true });
  const files: Record<string, Uint8Array> = {};
  for (const entry of await reader.getEntries()) {
    if (entry.directory) continue;
    files[entry.filename] = await entry.getData(new Uint8ArrayWriter());
  }
  return files;
}
