import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, test } from "vitest";
import { memorySource } from "../../src/index.ts";
import { expectCutsRefused, expectFlipsRefused } from "../helpers/corruption.ts";

const folder = fileURLToPath(new URL("../../fixtures/tiny/pytorch/", import.meta.url));
const names = ["quantised.pt", "sparse.pt", "frozen.pt", "views.pt", "legacy.pth", "tensors.pkl"];
const pickles = Array.from({ length: 6 }, (_, protocol) => `arrays${protocol}.pkl`);

describe.each([...names, ...pickles])("%s", (name) => {
  const bytes = new Uint8Array(readFileSync(folder + name));
  test("cut at every byte", () => expectCutsRefused(bytes, memorySource));
  test("100 rounds of flipped bits", () => expectFlipsRefused(bytes, memorySource, 100));
});
