import { expect, test } from "vitest";
import { isWeightGraphError, memorySource, readModel } from "../../src/index.ts";
import { kerasFile } from "../helpers/hdf5.ts";

const config = {
  class_name: "Sequential",
  config: [{ class_name: "Dense", config: { name: "fc" } }],
};
const tiny = await kerasFile([{ name: "fc", weights: { "fc/kernel:0": [2, 3] } }], config);

test("cut anywhere", async () => {
  for (let length = 0; length < tiny.byteLength; length += 97) {
    const error: unknown = await readModel(memorySource(tiny.slice(0, length))).catch((e) => e);
    expect(isWeightGraphError(error), `cut at ${length}: ${String(error)}`).toBe(true);
  }
});
