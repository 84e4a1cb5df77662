// Cuts fixtures/mnist out of the full MNIST: of each digit the first so many images, in the order of the original files.
// usage: node scripts/makeMnistSubset.mjs FOLDER_OF_MNIST [fixtures/mnist]
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";

const [source, target = "fixtures/mnist"] = process.argv.slice(2);
mkdirSync(target, { recursive: true });

for (const { stem, perDigit } of [
  { stem: "train", perDigit: 200 },
  { stem: "t10k", perDigit: 50 },
]) {
  const images = read(`${stem}-images-idx3-ubyte.gz`);
  const labels = read(`${stem}-labels-idx1-ubyte.gz`);
  const seen = Array(10).fill(0);
  const kept = [];
  labels.subarray(8).forEach((label, i) => {
    if (seen[label]++ < perDigit) kept.push(i);
  });
  const pixels = kept.map((i) => images.subarray(16 + 784 * i, 16 + 784 * (i + 1)));
  write(`${stem}-images-idx3-ubyte.gz`, [0, 0, 8, 3], [kept.length, 28, 28], pixels);
  write(
    `${stem}-labels-idx1-ubyte.gz`,
    [0, 0, 8, 1],
    [kept.length],
    [Uint8Array.from(kept, (i) => labels[8 + i])],
  );
}

function read(name) {
  return gunzipSync(readFileSync(join(source, name)));
}

function write(name, magic, shape, parts) {
  const lengths = Buffer.alloc(4 * shape.length);
  shape.forEach((length, axis) => lengths.writeUInt32BE(length, 4 * axis));
  const bytes = Buffer.concat([Buffer.from(magic), lengths, ...parts]);
  writeFileSync(join(target, name), gzipSync(bytes, { level: 9 }));
}
