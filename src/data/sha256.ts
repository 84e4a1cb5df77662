import type { Dataset } from "./dataset.ts";

/** SHA-256 in hexadecimal, by the platform's own Web Crypto. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** One hash for a data set: of the hashes of its images and labels, training first, one a line. */
export async function datasetHash({ train, test }: Dataset): Promise<string> {
  const parts = [train.images, train.labels, test.images, test.labels];
  const lines = await Promise.all(parts.map(sha256));
  return sha256(new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")));
}
