import { test } from "vitest";
import { memorySource } from "../../src/index.ts";
import { expectCutsRefused, expectFlipsRefused } from "../helpers/corruption.ts";
import { legacyFile } from "../helpers/pickle.ts";

const tiny = legacyFile([{ name: "0.weight", shape: [2, 3], strides: [3, 1], key: "0" }], {
  "0": Float32Array.of(1, 2, 3, 4, 5, 6),
});

test("cut at every byte", () => expectCutsRefused(tiny, memorySource));
test("2000 rounds of flipped bits", () => expectFlipsRefused(tiny, memorySource));
