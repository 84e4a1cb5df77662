import { test } from "vitest";
import { memorySource, writeSafetensors } from "../../src/index.ts";
import { expectCutsRefused, expectFlipsRefused } from "../helpers/corruption.ts";

const tiny = writeSafetensors({
  tensors: [
    { name: "0.weight", dtype: "float32", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
    { name: "0.bias", dtype: "float16", shape: [2], data: Float32Array.of(1, 2) },
    { name: "2.weight", dtype: "float64", shape: [1, 2], data: Float64Array.of(1, 2) },
  ],
  metadata: { format: "pt" },
});

test("cut at every byte", () => expectCutsRefused(tiny, memorySource));
test("2000 rounds of flipped bits", () => expectFlipsRefused(tiny, memorySource));
