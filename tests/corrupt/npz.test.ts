import { test } from "vitest";
import { memorySource } from "../../src/index.ts";
import { expectCutsRefused, expectFlipsRefused } from "../helpers/corruption.ts";
import { floatArray, zipBytes } from "../helpers/numpy.ts";

const archive = await zipBytes({ "a.npy": floatArray([2, 2]), "b.npy": floatArray([1, 2]) });

test("an array cut at every byte", () => expectCutsRefused(floatArray([2, 2]), memorySource));
test("an archive cut at every byte", () => expectCutsRefused(archive, memorySource));
test("an array, 2000 rounds of flipped bits", () =>
  expectFlipsRefused(floatArray([2]), memorySource));
test("an archive, 500 rounds of flipped bits", () =>
  expectFlipsRefused(archive, memorySource, 500));
