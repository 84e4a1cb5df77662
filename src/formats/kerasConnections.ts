/** How the kernels of one Keras layer connect neurons: in a row, with gates, in two directions, through attention. */
import type { StoredTensor } from "../model/model.ts";
import type { Activation, Placed } from "../model/neuronTracer.ts";
import { withOrder } from "./kerasActions.ts";
import { textOf, type KerasLayer } from "./kerasConfig.ts";
import { flowOf, joined, united, type Flow, type KerasWalk, type Read } from "./kerasFlow.ts";
import { isRecurrentClass, type KernelHints } from "./kerasKernels.ts";

interface Connection {
  readonly reads: readonly Read[];
  readonly weights: readonly StoredTensor[];
  readonly walk: KerasWalk;
}

/** Classes whose kernels stand in a row. */
const chained =
  /Dense$|(Conv(olution)?|Deconv(olution)?)\d?D?(Transpose)?$|^LocallyConnected\dD$|Embedding$|Normalization$/;

/** True if the layer's kernels stand in a row, from what it reads to what it puts out. */
export function isChained(className: string): boolean {
  return chained.test(className) && !isRecurrentClass(className) && !isAttention(className);
}

export function isAttention(className: string): boolean {
  return /(MultiHead|Query)Attention$/.test(className);
}

export function connectWeights(layer: KerasLayer, connection: Connection): readonly Flow[] {
  const { className } = layer;
  if (isRecurrentClass(className)) return connectRecurrent(layer, connection);
  if (isAttention(className)) return [connectAttention(layer, connection)];
  if (!chained.test(className)) connection.walk.unknown.add(className);
  return [connectChain(layer, connection)];
}

/** Each kernel reads what the one before puts out; a low-rank pair runs beside the kernel. */
function connectChain(layer: KerasLayer, { reads, weights, walk }: Connection): Flow {
  const { tracer } = walk;
  const [{ flow }] = reads as [Read];
  const variable = (tensor: StoredTensor): string => walk.variableOf(tensor).variable;
  let current = flow.activation;
  let isWords = false;
  for (const tensor of weights.filter((one) => !variable(one).startsWith("lora_"))) {
    const one = placed(layer, tensor, walk);
    // An embedding reads words, whatever stands before it.
    isWords = one.layer.kind === "embedding";
    if (isWords) current = tracer.source(`${layer.name} words`, null);
    current = tracer.connect(one, current);
  }
  const lora = weights.filter((one) => variable(one).startsWith("lora_"));
  if (lora.length === 2) {
    const beside = lora.reduce<Activation>(
      (from, tensor) => tracer.connect(placed(layer, tensor, walk), from),
      flow.activation,
    );
    current = tracer.unite([current, beside]);
  }
  const rank = flow.rank === null || !isWords ? flow.rank : flow.rank + 1;
  return withOrder(layer, { ...flow, activation: current, rank });
}

function placed({ className, config }: KerasLayer, tensor: StoredTensor, walk: KerasWalk): Placed {
  const { kernel_size: size, dim_ordering: oldOrder } = config;
  const kernelSize = Array.isArray(size) ? size.filter(Number.isSafeInteger) : size;
  const hints: KernelHints = {
    equation: textOf(config, "equation") ?? undefined,
    kernelSize: Number.isSafeInteger(kernelSize)
      ? [kernelSize as number]
      : Array.isArray(kernelSize)
        ? kernelSize
        : undefined,
    isTheano: oldOrder === "th",
  };
  return walk.place(tensor, className, hints);
}

/** One unit or several in a row, in one direction or both, whose outputs are joined as `merge_mode` says. */
function connectRecurrent(
  layer: KerasLayer,
  { reads, weights, walk }: Connection,
): readonly Flow[] {
  const [{ flow }] = reads as [Read];
  const isBackward = (tensor: StoredTensor): boolean =>
    /(^|\/)backward_?/.test(`${walk.variableOf(tensor).part}/${tensor.name}`);
  const isBoth = layer.config["wrapper"] === "Bidirectional";
  const halves = isBoth
    ? [weights.filter((one) => !isBackward(one)), weights.filter(isBackward)].filter(
        (half) => half.length > 0,
      )
    : [weights];
  const rank =
    layer.config["return_sequences"] === true || flow.rank === null ? flow.rank : flow.rank - 1;
  const outputs = halves.map((half): Flow => ({
    ...flow,
    rank,
    activation: connectUnits(layer, { half, from: flow.activation, walk }),
  }));
  const [first, second] = outputs as [Flow, ...Flow[]];
  const states = (of: Flow): Flow[] => [
    { ...of, rank: 2 },
    { ...of, rank: 2 },
  ];
  if (second === undefined) return [first, ...states(first)];
  const isJoined = (layer.config["merge_mode"] ?? "concat") === "concat";
  const merged = isJoined ? joined(layer.name, outputs, walk) : united(outputs, walk);
  return layer.config["merge_mode"] === null
    ? [first, second, ...states(first), ...states(second)]
    : [merged, ...states(first), ...states(second)];
}

interface Units {
  readonly half: readonly StoredTensor[];
  readonly from: Activation;
  readonly walk: KerasWalk;
}

function connectUnits(layer: KerasLayer, { half, from, walk }: Units): Activation {
  const { tracer, place } = walk;
  const of = (variable: string): StoredTensor[] =>
    half.filter((tensor) => walk.variableOf(tensor).variable === variable);
  const pasts = of("recurrent_kernel");
  const kernels = of("kernel");
  // Keras 1 kept each gate in a tensor of its own.
  const isSplit =
    kernels.length > 1 && kernels.every(({ name }) => /_W_[a-z](_\d+)?(:\d+)?$/.test(name));
  const outputs: Activation[] = [];
  let current = from;
  for (const [i, kernel] of kernels.entries()) {
    const own = place(kernel, layer.className);
    const past = pasts[i] && place(pasts[i], layer.className);
    const source = isSplit ? from : current;
    const gates = past ? own.layer.out / past.layer.layout.inPerGroup : NaN;
    const isGated = past && Number.isSafeInteger(gates) && past.layer.out === own.layer.out;
    current = isGated ? tracer.connectGated(own, past, source) : tracer.connect(own, source);
    outputs.push(current);
  }
  return isSplit ? tracer.unite(outputs) : current;
}

const projections = ["query", "key", "value", "output"] as const;

/** Query, key and value read the inputs, the last kernel reads what the values put out. */
function connectAttention(layer: KerasLayer, { reads, weights, walk }: Connection): Flow {
  const { tracer, place } = walk;
  const byPlace = reads.filter(({ argument }) => argument === null).map(({ flow }) => flow);
  const byName = (name: string): Flow | undefined =>
    reads.find(({ argument }) => argument === name)?.flow;
  const query = byPlace[0] ?? byName("query") ?? reads[0]!.flow;
  const value = byName("value") ?? byPlace[1] ?? query;
  const sources = { query, value, key: byName("key") ?? byPlace[2] ?? value };
  const partOf = (tensor: StoredTensor): string =>
    /(query|key|value|output)(?:_dense)?$/.exec(walk.variableOf(tensor).part)?.[1] ?? "";
  let values: Activation = value.activation;
  let last: Activation | null = null;
  for (const part of projections) {
    const tensor = weights.find((one) => partOf(one) === part);
    if (tensor === undefined) continue;
    const one = place(tensor, layer.className);
    if (part === "output")
      last = tracer.connect(one, repeated(values, { one, weights, walk, partOf }));
    else {
      const made = tracer.connect(one, sources[part].activation);
      // [in, heads, size]
      if (tensor.shape.length === 3) tracer.attend(part, tensor.shape[1]!, made);
      if (part === "value") values = made;
    }
  }
  return { ...flowOf(last ?? values, query.rank) };
}

/** Heads of values that several heads of queries share stand once for each of those. */
function repeated(
  values: Activation,
  {
    one,
    weights,
    walk,
    partOf,
  }: {
    one: Placed;
    weights: readonly StoredTensor[];
    walk: KerasWalk;
    partOf: (tensor: StoredTensor) => string;
  },
): Activation {
  const tensor = weights.find((own) => partOf(own) === "value");
  const [, heads = 0, size = 0] = tensor?.shape ?? [];
  const times = one.layer.in / (heads * size);
  if (!Number.isSafeInteger(times) || times < 2) return values;
  const parts: Activation[] = [];
  for (let head = 0; head < heads; head++) {
    const own = walk.tracer.slice(values, head * size, (head + 1) * size);
    for (let i = 0; i < times; i++) parts.push(own);
  }
  return walk.tracer.concatenate(one.layer.name, parts);
}
