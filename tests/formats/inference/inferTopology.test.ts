/** Expected wires by hand, of shapes as the frameworks store them. */
import { describe, expect, test } from "vitest";
import { memorySource, readModel, writeSafetensors, type Model } from "../../../src/index.ts";
import { wiresOf } from "../../helpers/topology.ts";

type Shapes = Readonly<Record<string, readonly number[]>>;

function stateDict(shapes: Shapes, config?: object): Promise<Model> {
  const tensors = Object.entries(shapes).map(([name, shape]) => {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    return { name, dtype: "float32" as const, shape, data };
  });
  const beside = config && { "config.json": new TextEncoder().encode(JSON.stringify(config)) };
  return readModel(memorySource(writeSafetensors({ tensors }), "net", beside));
}

/** `kernel: a -> b` without the layout, `.weight` and the wires' ends shortened. */
async function wiring(shapes: Shapes): Promise<string[]> {
  const lines = wiresOf(await stateDict(shapes));
  return lines.map((line) => line.replace(/ \[.*$/, "").replaceAll(".weight", ""));
}

const named = (prefix: string, shapes: Shapes): Shapes =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [prefix + name, shape]));

describe("attention reads and adds to one stream", () => {
  const stream = "embed_tokens";
  test.each<{ name: string; block: Shapes; wires: string[] }>([
    {
      name: "separate projections, gated feed-forward",
      block: {
        "self_attn.q_proj.weight": [4, 4],
        "self_attn.k_proj.weight": [4, 4],
        "self_attn.v_proj.weight": [4, 4],
        "self_attn.o_proj.weight": [4, 4],
        "mlp.gate_proj.weight": [6, 4],
        "mlp.up_proj.weight": [6, 4],
        "mlp.down_proj.weight": [4, 6],
      },
      wires: [
        `self_attn.q_proj: ${stream} -> self_attn.q_proj`,
        `self_attn.k_proj: ${stream} -> self_attn.k_proj`,
        `self_attn.v_proj: ${stream} -> self_attn.v_proj`,
        `self_attn.o_proj: self_attn.v_proj -> ${stream}`,
        `mlp.gate_proj: ${stream} -> mlp.gate_proj`,
        `mlp.up_proj: ${stream} -> mlp.up_proj`,
        `mlp.down_proj: mlp.gate_proj -> ${stream}`,
      ],
    },
    {
      name: "names of BERT",
      block: {
        "attention.self.query.weight": [4, 4],
        "attention.self.key.weight": [4, 4],
        "attention.self.value.weight": [4, 4],
        "attention.output.dense.weight": [4, 4],
        "intermediate.dense.weight": [6, 4],
        "output.dense.weight": [4, 6],
      },
      wires: [
        `attention.self.query: ${stream} -> attention.self.query`,
        `attention.self.key: ${stream} -> attention.self.key`,
        `attention.self.value: ${stream} -> attention.self.value`,
        `attention.output.dense: attention.self.value -> ${stream}`,
        `intermediate.dense: ${stream} -> intermediate.dense`,
        `output.dense: intermediate.dense -> ${stream}`,
      ],
    },
    {
      name: "GGUF names, two experts",
      block: {
        "attn_q.weight": [4, 4],
        "attn_k.weight": [4, 4],
        "attn_v.weight": [4, 4],
        "attn_output.weight": [4, 4],
        "block_sparse_moe.gate.weight": [2, 4],
        "block_sparse_moe.experts.0.w1.weight": [6, 4],
        "block_sparse_moe.experts.0.w2.weight": [4, 6],
        "block_sparse_moe.experts.0.w3.weight": [6, 4],
        "block_sparse_moe.experts.1.w1.weight": [6, 4],
        "block_sparse_moe.experts.1.w2.weight": [4, 6],
        "block_sparse_moe.experts.1.w3.weight": [6, 4],
      },
      wires: [
        `attn_q: ${stream} -> attn_q`,
        `attn_k: ${stream} -> attn_k`,
        `attn_v: ${stream} -> attn_v`,
        `attn_output: attn_v -> ${stream}`,
        ...[0, 1].flatMap((expert) => {
          const at = `block_sparse_moe.experts.${expert}.`;
          return [
            `${at}w1: ${stream} -> ${at}w1`,
            `${at}w3: ${stream} -> ${at}w3`,
            `${at}w2: ${at}w1 -> ${stream}`,
          ];
        }),
        `block_sparse_moe.gate: ${stream} -> block_sparse_moe.gate`,
      ],
    },
  ])("$name", async ({ block, wires }) => {
    const shapes = {
      "embed_tokens.weight": [9, 4],
      ...named("layers.0.", block),
      ...named("layers.1.", block),
      "norm.weight": [4],
      "lm_head.weight": [9, 4],
    };
    const own = (layer: number): string[] =>
      wires.map((wire) => {
        const [name, rest] = wire.split(": ");
        const ends = rest!.split(" -> ");
        const place = (end: string): string => (end === stream ? end : `layers.${layer}.${end}`);
        return `${place(name!)}: ${ends.map(place).join(" -> ")}`;
      });
    expect(await wiring(shapes)).toEqual([
      `embed_tokens: tokens of embed_tokens -> ${stream}`,
      ...own(0),
      ...own(1),
      `lm_head: ${stream} -> lm_head`,
    ]);
  });
});

test("GPT-2 stores [in, out]; the fused projection's last third is the values", async () => {
  const model = await stateDict({
    "wte.weight": [9, 4],
    "wpe.weight": [7, 4],
    "h.0.attn.bias": [1, 1, 7, 7],
    "h.0.attn.c_attn.weight": [4, 12],
    "h.0.attn.c_attn.bias": [12],
    "h.0.attn.c_proj.weight": [4, 4],
    "h.0.attn.c_proj.bias": [4],
    "h.0.mlp.c_fc.weight": [4, 16],
    "h.0.mlp.c_fc.bias": [16],
    "h.0.mlp.c_proj.weight": [16, 4],
    "h.0.mlp.c_proj.bias": [4],
  });
  expect(wiresOf(model)).toEqual([
    "wte.weight: tokens of wte -> wte.weight [in9 out4]",
    "h.0.attn.c_attn.weight: wte.weight -> h.0.attn.c_attn.weight [in4 out12]",
    "h.0.attn.c_proj.weight: h.0.attn.c_attn.weight -> wte.weight [in4 out4]",
    "h.0.mlp.c_fc.weight: wte.weight -> h.0.mlp.c_fc.weight [in4 out16]",
    "h.0.mlp.c_proj.weight: h.0.mlp.c_fc.weight -> wte.weight [in16 out4]",
  ]);
  const { wires } = model.topology;
  expect([...wires[2]!.from]).toEqual(Array.from(wires[1]!.to.subarray(8)));
  // Tables of positions and masks are listed and not wired.
  expect(model.layers.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["wpe.weight", "h.0.attn.bias"]),
  );
});

test("grouped queries: heads of a known size share values, of an unknown one break", async () => {
  const block = {
    "self_attn.q_proj.weight": [8, 8],
    "self_attn.k_proj.weight": [4, 8],
    "self_attn.v_proj.weight": [4, 8],
    "self_attn.o_proj.weight": [8, 8],
    "mlp.fc1.weight": [9, 8],
    "mlp.fc2.weight": [8, 9],
  };
  const unknown = await stateDict(named("layers.0.", block));
  expect(unknown.topology.wires.map(({ basis }) => basis)).toEqual([
    "name",
    "name",
    "name",
    "break",
    "name",
    "name",
  ]);
  expect(unknown.warnings[0]?.message).toContain("before layers.0.self_attn.o_proj.weight");
  for (const known of [
    await stateDict(named("layers.0.", { ...block, "self_attn.q_norm.weight": [2] })),
    await stateDict(named("layers.0.", block), { num_attention_heads: 4 }),
    await stateDict(named("layers.0.", block), { hidden_size: 8, head_dim: 2 }),
  ]) {
    const [, , values, outputs] = known.topology.wires;
    expect([...outputs!.from]).toEqual([0, 1, 0, 1, 2, 3, 2, 3].map((i) => values!.to[i]));
  }
});

describe("convolutional families", () => {
  test.each<{ name: string; shapes: Shapes; wires: string[] }>([
    {
      name: "a shortcut is added, and its kin without one add their input",
      shapes: {
        "conv1.weight": [2, 3, 3, 3],
        "stage.0.conv1.weight": [4, 2, 3, 3],
        "stage.0.conv2.weight": [4, 4, 3, 3],
        "stage.0.shortcut.weight": [4, 2, 1, 1],
        "stage.1.conv1.weight": [4, 4, 3, 3],
        "stage.1.conv2.weight": [4, 4, 3, 3],
        "fc.weight": [5, 4],
      },
      wires: [
        "conv1: input -> conv1",
        "stage.0.conv1: conv1 -> stage.0.conv1",
        "stage.0.conv2: stage.0.conv1 -> stage.0.conv2",
        "stage.0.shortcut: conv1 -> stage.0.conv2",
        "stage.1.conv1: stage.0.conv2 -> stage.1.conv1",
        "stage.1.conv2: stage.1.conv1 -> stage.0.conv2",
        "fc: stage.0.conv2 -> fc",
      ],
    },
    {
      name: "blocks of names that nobody knows are chained, nothing is added",
      shapes: {
        "a.0.x.weight": [4, 4, 3, 3],
        "a.0.y.weight": [4, 4, 3, 3],
      },
      wires: ["a.0.x: input -> a.0.x", "a.0.y: a.0.x -> a.0.y"],
    },
    {
      name: "expand, depthwise, gate, project",
      shapes: {
        "features.1.block.0.0.weight": [6, 2, 1, 1],
        "features.1.block.1.0.weight": [6, 1, 3, 3],
        "features.1.block.2.fc1.weight": [3, 6, 1, 1],
        "features.1.block.2.fc2.weight": [6, 3, 1, 1],
        "features.1.block.3.0.weight": [2, 6, 1, 1],
      },
      wires: [
        "features.1.block.0.0: input -> features.1.block.0.0",
        "features.1.block.1.0: features.1.block.0.0 -> features.1.block.1.0",
        "features.1.block.2.fc1: features.1.block.1.0 -> features.1.block.2.fc1",
        "features.1.block.2.fc2: features.1.block.2.fc1 -> features.1.block.2.fc2",
        "features.1.block.3.0: features.1.block.1.0 -> input",
      ],
    },
    {
      name: "a dense block reads all before it",
      shapes: {
        "conv0.weight": [3, 1, 3, 3],
        "block.layer1.weight": [2, 3, 3, 3],
        "block.layer2.weight": [2, 5, 3, 3],
        "transition.weight": [4, 7, 1, 1],
      },
      wires: [
        "conv0: input -> conv0",
        "block.layer1: conv0 -> block.layer1",
        "block.layer2: conv0+block.layer1 -> block.layer2",
        "transition: conv0+block.layer1+block.layer2 -> transition",
      ],
    },
    {
      name: "a decoder takes the encoder's maps, upward kernels are [in, out]",
      shapes: {
        "inc.double_conv.0.weight": [2, 1, 3, 3],
        "down1.double_conv.0.weight": [4, 2, 3, 3],
        "up1.up.weight": [4, 2, 2, 2],
        "up1.conv.double_conv.0.weight": [2, 4, 3, 3],
        "outc.conv.weight": [1, 2, 1, 1],
      },
      wires: [
        "inc.double_conv.0: input -> inc.double_conv.0",
        "down1.double_conv.0: inc.double_conv.0 -> down1.double_conv.0",
        "up1.up: down1.double_conv.0 -> up1.up",
        "up1.conv.double_conv.0: inc.double_conv.0+up1.up -> up1.conv.double_conv.0",
        "outc.conv: up1.conv.double_conv.0 -> outc.conv",
      ],
    },
    {
      name: "branches joined, heads of one trunk",
      shapes: {
        "stem.weight": [4, 3, 3, 3],
        "mixed.branch1.weight": [2, 4, 1, 1],
        "mixed.branch2.0.weight": [3, 4, 1, 1],
        "mixed.branch2.1.weight": [3, 3, 3, 3],
        "cls_head.weight": [2, 5, 1, 1],
        "reg_head.weight": [4, 5, 1, 1],
      },
      wires: [
        "stem: input -> stem",
        "mixed.branch1: stem -> mixed.branch1",
        "mixed.branch2.0: stem -> mixed.branch2.0",
        "mixed.branch2.1: mixed.branch2.0 -> mixed.branch2.1",
        "cls_head: mixed.branch1+mixed.branch2.1 -> cls_head",
        "reg_head: mixed.branch1+mixed.branch2.1 -> reg_head",
      ],
    },
  ])("$name", async ({ shapes, wires }) => {
    expect(await wiring(shapes)).toEqual(wires);
  });
});

test("query, key and value of a head side by side: its values need the number of heads", async () => {
  const model = await stateDict(
    named("layers.0.", {
      "attention.query_key_value.weight": [12, 4],
      "attention.dense.weight": [4, 4],
      "mlp.dense_h_to_4h.weight": [16, 4],
      "mlp.dense_4h_to_h.weight": [4, 16],
    }),
    { num_attention_heads: 2 },
  );
  const [fused, outputs] = model.topology.wires;
  expect([...outputs!.from]).toEqual([4, 5, 10, 11].map((i) => fused!.to[i]));
});

test("what a network is told is added to what it carries; upward kernels are known by the norm behind them", async () => {
  expect(
    await wiring({
      "time_embedding.linear_1.weight": [6, 2],
      "time_embedding.linear_2.weight": [6, 6],
      "stem.weight": [4, 3, 3, 3],
      "resnets.0.conv1.weight": [4, 4, 3, 3],
      "resnets.0.time_emb_proj.weight": [4, 6],
      "resnets.0.conv2.weight": [4, 4, 3, 3],
      "up.0.weight": [4, 2, 4, 4],
      "up.1.weight": [2],
      "up.1.running_mean": [2],
    }),
  ).toEqual([
    "time_embedding.linear_1: input of time_embedding -> time_embedding.linear_1",
    "time_embedding.linear_2: time_embedding.linear_1 -> time_embedding.linear_2",
    "stem: input -> stem",
    "resnets.0.conv1: stem -> resnets.0.conv1",
    "resnets.0.time_emb_proj: time_embedding.linear_2 -> resnets.0.conv1",
    "resnets.0.conv2: resnets.0.conv1 -> resnets.0.conv2",
    "up.0: resnets.0.conv2 -> up.0",
  ]);
});

test("a trial that failed leaves nothing behind", async () => {
  // The residual block is tried first and fails at `fc`, after the condition was read.
  const model = await stateDict({
    "net.0.shortcut.weight": [4, 4, 1, 1],
    "net.0.time_mlp.weight": [6, 6],
    "net.0.conv1.weight": [4, 4, 3, 3],
    "net.0.conv2.weight": [4, 7, 3, 3],
    "net.1.time_mlp.weight": [4, 6],
    "net.1.conv1.weight": [4, 4, 3, 3],
  });
  const { wires, layers } = model.topology;
  const neurons = layers.reduce((sum, { size }) => sum + size, 0);
  expect(wires).toHaveLength(6);
  for (const { from, to } of wires) {
    expect([...from, ...to].every((id) => id >= 0 && id < neurons)).toBe(true);
  }
});

test("scales of packed weights are listed and not wired, an optimiser's state is no weight", async () => {
  const model = await stateDict({
    "a.weight": [3, 2],
    "a.weight_scale_inv": [3, 1],
    "state.a.exp_avg": [3, 2],
  });
  expect(model.layers.map(({ name }) => name)).toEqual(["a.weight", "a.weight_scale_inv"]);
  expect(model.topology.wires).toHaveLength(1);
  expect(model.warnings.map(({ code }) => code)).toEqual([
    "TOPOLOGY_INFERRED",
    "WEIGHTS_PACKED",
    "OPTIMIZER_STATE",
  ]);
});

test("an adapter reads what its layer reads and adds to what that puts out", async () => {
  expect(
    await wiring({
      "net.0.base_layer.weight": [5, 3],
      "net.0.lora_A.default.weight": [2, 3],
      "net.0.lora_B.default.weight": [5, 2],
      "net.2.weight": [1, 5],
    }),
  ).toEqual([
    "net.0.base_layer: input -> net.0.base_layer",
    "net.0.lora_A.default: input -> net.0.lora_A.default",
    "net.0.lora_B.default: net.0.lora_A.default -> net.0.base_layer",
    "net.2: net.0.base_layer -> net.2",
  ]);
});

test("names that reach deep, repeat or are those of object internals are names", async () => {
  const deep = "a.".repeat(300);
  const model = await stateDict({
    [`${deep}weight`]: [2, 3],
    "__proto__.constructor.weight": [3, 4],
    "": [2, 2],
    "..": [2, 5],
  });
  expect(model.topology.wires).toHaveLength(4);
});
