/**
 * Batch normalisation as a part of the weights before it: each receiving neuron's weights times scale / sqrt(variance + epsilon), its
 * bias moved along. The network computes the same, and graphs see the weights that signals meet.
 */
import { ShapeError, WeightGraphError } from "../errors.ts";
import type { FloatArray } from "../tensor/dtype.ts";
import { canonicalRuns } from "./canonicalRuns.ts";
import type { ChannelNormalisation, Model, StoredTensor, WeightLayer } from "./model.ts";

/**
 * The model with every normalisation that its reader tied to a weight layer folded into it; `folded` names those layers. Their
 * weights and biases are float64 and have no place in the file. A warning names the normalisation tensors that stay as they are.
 * Cost: none before a tensor is read, then a pass over it.
 * @throws {WeightGraphError} `NORMALISATION_UNKNOWN` where there is none to fold; on reading, {ShapeError} `SHAPE_MISMATCH`
 */
export function foldNormalisation(model: Model): Model {
  const layers = model.layers.map(folded);
  const names = model.layers.flatMap(({ name, normalisation }) => (normalisation ? [name] : []));
  const used = new Set(
    model.layers.flatMap(({ normalisation: own }) =>
      own ? [own.scale?.name, own.shift?.name, own.mean.name, own.variance.name] : [],
    ),
  );
  const left = model.tensors
    .filter(({ role, name }) => role === "normalisation" && !used.has(name))
    .map(({ name }) => name);
  if (names.length === 0) {
    throw new WeightGraphError("NORMALISATION_UNKNOWN", "no normalisation can be folded", {
      path: [model.name],
      details: { normalisation: left },
      hint:
        left.length === 0
          ? "The file holds no normalisation, or it is in the weights already."
          : "Those of the file stand behind no weight layer alone, or depend on the data.",
    });
  }
  const message = `normalisation that stays as it is, since it stands behind no weight layer alone: ${left.join(", ")}`;
  const inferred = model.layers.flatMap(({ name, normalisation: own }) =>
    own?.basis === "name" ? [`${own.mean.name} behind ${name}, epsilon ${own.epsilon}`] : [],
  );
  const byName = `the file does not say where its normalisations stand; taken by their names: ${inferred.join("; ")}`;
  return {
    ...model,
    layers,
    folded: names,
    warnings: [
      ...model.warnings,
      ...(left.length > 0 ? [{ code: "NORMALISATION_LEFT", message }] : []),
      ...(inferred.length > 0 ? [{ code: "NORMALISATION_INFERRED", message: byName }] : []),
    ],
  };
}

function folded(layer: WeightLayer): WeightLayer {
  const { tensor, layout, bias, normalisation, ...rest } = layer;
  if (normalisation === undefined) return layer;
  const read = async (): Promise<FloatArray> => {
    const values = Float64Array.from(await tensor.read());
    const { factor } = await affine(layer, normalisation);
    canonicalRuns(layout, { taps: false })(0, values.length, (at, count, place, step) => {
      for (let i = at; i < at + count; i++, place += step)
        values[i]! *= factor[Math.floor(place / layout.inPerGroup)]!;
    });
    return values;
  };
  const readBias = async (): Promise<FloatArray> => {
    const { factor, offset } = await affine(layer, normalisation);
    const own = await bias?.read();
    return offset.map((moved, neuron) => moved + factor[neuron]! * (own?.[neuron] ?? 0));
  };
  const shape = [layout.groups * layout.outPerGroup];
  const moved = computed(
    { name: bias?.name ?? normalisation.mean.name, shape, role: "bias" },
    readBias,
  );
  return {
    ...rest,
    layout,
    tensor: computed({ name: tensor.name, shape: tensor.shape, role: tensor.role }, read),
    ...(bias !== undefined && { bias: moved }),
  };
}

function computed(
  facts: Pick<StoredTensor, "name" | "shape" | "role">,
  read: () => Promise<FloatArray>,
): StoredTensor {
  return { ...facts, dtype: "float64", read };
}

/** y = factor x + offset, [out] each. */
async function affine(
  { name, layout }: WeightLayer,
  { scale, shift, mean, variance, epsilon }: ChannelNormalisation,
): Promise<{ factor: Float64Array; offset: Float64Array }> {
  const neurons = layout.groups * layout.outPerGroup;
  const valuesOf = async (tensor: StoredTensor | null): Promise<FloatArray | null> => {
    const values = tensor && (await tensor.read());
    if (values === null || values.length === neurons) return values;
    throw new ShapeError("SHAPE_MISMATCH", `${values.length} values for ${neurons} neurons`, {
      path: [name, tensor!.name],
    });
  };
  const scales = await valuesOf(scale);
  const shifts = await valuesOf(shift);
  const means = (await valuesOf(mean))!;
  const variances = (await valuesOf(variance))!;
  const factor = Float64Array.from(
    { length: neurons },
    (_, neuron) => (scales?.[neuron] ?? 1) / Math.sqrt(variances[neuron]! + epsilon),
  );
  const offset = factor.map((own, neuron) => (shifts?.[neuron] ?? 0) - own * means[neuron]!);
  return { factor, offset };
}
