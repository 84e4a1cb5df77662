/** What is known of the batch normalisations behind weight layers, for folding them and for nodes of their own. */
import { ShapeError, WeightGraphError } from "../errors.ts";
import type { FloatArray } from "../tensor/dtype.ts";
import type {
  ChannelNormalisation,
  Model,
  ModelWarning,
  StoredTensor,
  WeightLayer,
} from "./model.ts";

export interface TiedNormalisation {
  /** Weight layers that a normalisation is tied to. */
  readonly names: readonly string[];
  /** Which normalisation tensors are tied to none, and which are tied by their names. */
  readonly warnings: readonly ModelWarning[];
}

/** Cost: none of the weights is read. @throws {WeightGraphError} `NORMALISATION_UNKNOWN` where none is tied */
export function tiedNormalisation(model: Model): TiedNormalisation {
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
    throw new WeightGraphError("NORMALISATION_UNKNOWN", "no normalisation is tied to weights", {
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
  const warnings = [
    ...(left.length > 0 ? [{ code: "NORMALISATION_LEFT", message }] : []),
    ...(inferred.length > 0 ? [{ code: "NORMALISATION_INFERRED", message: byName }] : []),
  ];
  return { names, warnings };
}

/** y = factor x + offset, [out] each. @throws {ShapeError} `SHAPE_MISMATCH` */
export async function affine(
  { name, layout }: WeightLayer,
  { scale, shift, mean, variance, epsilon }: ChannelNormalisation,
): Promise<{ readonly factor: Float64Array; readonly offset: Float64Array }> {
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
