/** What PyTorch wrote long ago: known, so that it is refused by name. */
import { FormatError } from "../../errors.ts";

/** torch.save of PyTorch 0.1: a tar archive whose first files are these. */
export function isTorchTar(head: Uint8Array): boolean {
  if (head.byteLength < 512) return false;
  const text = (from: number, to: number): string =>
    new TextDecoder("latin1").decode(head.subarray(from, to));
  const [name = ""] = text(0, 100).split("\0", 1);
  const isTar = text(257, 262) === "ustar" || /^[0-7 ]{6}/.test(text(100, 106));
  return isTar && /^(\.\/)?(sys_info|pickle|storages|tensors)$/.test(name);
}

/** torch.jit.save before 1.4: the modules are JSON, the tensors numbered files. */
export function isOldScript(names: readonly string[]): boolean {
  const has = (pattern: RegExp): boolean => names.some((name) => pattern.test(name));
  return has(/^[^/]+\/model\.json$/) && has(/^[^/]+\/tensors\//);
}

/** @throws {FormatError} `FORMAT_UNSUPPORTED` */
export function refuseOldLayout(what: string, name: string): never {
  throw new FormatError("FORMAT_UNSUPPORTED", `${what} is not read`, {
    path: [name],
    hint: "Load it with a PyTorch that still can and save its state dict again.",
  });
}
