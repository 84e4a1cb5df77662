import { startsWith } from "../../bytes/startsWith.ts";
import { openZip, zipSignature } from "../../bytes/zip.ts";
import type { Format } from "../format.ts";
import { patchPytorch } from "./patch.ts";
import { readPytorch } from "./read.ts";
import { shardKindOf } from "../shardIndex.ts";
import { isExported } from "./exported.ts";
import { isOldScript, isTorchTar } from "./oldLayouts.ts";
import { isDataPickle } from "./storages.ts";

/** Protocol 2 to 5; dictionaries and lists of the protocols before begin with these bytes. */
function looksLikePickle(head: Uint8Array): boolean {
  if (head[0] === 0x80) return head[1]! >= 2 && head[1]! <= 5 && head.byteLength > 3;
  const start = new TextDecoder("latin1").decode(head.subarray(0, 32));
  return /^(\([dl]p\d+\n|[}\]]q.[(.]|c[\w.]+\n\w+\n)/.test(start);
}

export const pytorch: Format = {
  id: "pytorch",
  title: "PyTorch",
  async recognises(head, source) {
    if (looksLikePickle(head) || isTorchTar(head)) return true;
    if ((await shardKindOf(head, source)) === "pytorch") return true;
    if (!startsWith(head, zipSignature)) return false;
    try {
      const names = (await openZip(source)).map(({ name }) => name);
      return names.some(isDataPickle) || isExported(names) || isOldScript(names);
    } catch {
      // Cut short, most often: the directory is at the end, but torch puts its pickle first.
      return isDataPickle(firstEntryName(head));
    }
  },
  read: readPytorch,
  patch: patchPytorch,
};

/** Of a zip archive, from the header of its first entry. */
function firstEntryName(head: Uint8Array): string {
  if (head.byteLength < 30) return "";
  const length = head[26]! + 256 * head[27]!;
  return new TextDecoder("latin1").decode(head.subarray(30, 30 + length));
}
