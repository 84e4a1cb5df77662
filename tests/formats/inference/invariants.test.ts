/** Whatever the names say: every weight is wired exactly once, between neurons that there are. */
import { expect, test } from "vitest";
import { createRandom } from "../../../src/index.ts";
import { inferTopology, type StoredName } from "../../../src/formats/inference/inferTopology.ts";
import type { WeightLayer } from "../../../src/model/model.ts";
import { weightLayout } from "../../../src/tensor/layout.ts";

const words =
  "q_proj k_proj v_proj o_proj fc1 fc2 conv1 conv2 shortcut downsample 0 1 2 layers encoder decoder branch0 branch1 cls_head pooler classifier qkv proj self_attn encoder_attn experts gate lora_A lora_B time_mlp up1 up conv down1 se resnets attentions proj_in proj_out denselayer1 denselayer2 w1 w2 w3 c_attn c_proj".split(
    " ",
  );
const parts = ["weight", "weight_ih_l0", "weight_hh_l0", "in_proj_weight", "weight_v"];

test("every weight is wired once (property, 300 seeded cases)", () => {
  const random = createRandom(3);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random.uniform() * from.length)]!;
  for (let round = 0; round < 300; round++) {
    const modules = [1, 2, 3].map(() => `${pick(words)}.${pick(words)}`);
    const names = Array.from(
      { length: 12 },
      () => `${pick(modules)}.${pick(words)}.${pick(parts)}`,
    );
    const stored = [...new Set(names)].map((name): StoredName => {
      const shape = [pick([2, 4, 8, 12]), pick([1, 2, 4, 8]), ...pick([[], [], [3, 3], [2, 2]])];
      return { name, size: 0, layer: layerOf(name, shape) };
    });
    const { layers, topology } = inferTopology(stored)!;
    const count = topology.layers.reduce((sum, { size }) => sum + size, 0);
    const wired = topology.wires.map(({ layer }) => layers[layer]!.name).toSorted();
    expect(wired, names.join()).toEqual(stored.map(({ name }) => name).toSorted());
    const ends = topology.wires.flatMap(({ from, to }) => [...from, ...to]);
    expect(ends.every((id) => id >= 0 && id < count)).toBe(true);
  }
});

function layerOf(name: string, shape: readonly number[]): WeightLayer {
  const roles = shape.map((_, axis) => (["out", "in"] as const)[axis] ?? "tap");
  return {
    name,
    op: null,
    kind: shape.length === 2 ? "torch_dense" : "torch_conv",
    in: shape[1]!,
    out: shape[0]!,
    layout: weightLayout(shape, roles),
    sendersKnown: true,
    tensor: {
      name,
      shape,
      dtype: "float32",
      role: "weight",
      read: () => Promise.resolve(new Float32Array()),
    },
  };
}
