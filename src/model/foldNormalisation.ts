/**
 * Batch normalisation as a part of the weights before it: each receiving neuron's weights times scale / sqrt(variance + epsilon), its
 * bias moved along. The network computes the same, and graphs see the weights that signals meet.
 */
import type { FloatArray } from "../tensor/dtype.ts";
import { canonicalRuns } from "./canonicalRuns.ts";
import { affine, tiedNormalisation } from "./channelNormalisation.ts";
import type { Model, StoredTensor, WeightLayer } from "./model.ts";

/**
 * The model with every normalisation that its reader tied to a weight layer folded into it; `folded` names those layers. Their
 * weights and biases are float64 and have no place in the file. A warning names the normalisation tensors that stay as they are.
 * Cost: none before a tensor is read, then a pass over it.
 * @throws {WeightGraphError} `NORMALISATION_UNKNOWN` where there is none to fold; on reading, {ShapeError} `SHAPE_MISMATCH`
 */
export function foldNormalisation(model: Model): Model {
  const { names, warnings } = tiedNormalisation(model);
  const layers = model.layers.map(folded);
  return { ...model, layers, folded: names, warnings: [...model.warnings, ...warnings] };
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
