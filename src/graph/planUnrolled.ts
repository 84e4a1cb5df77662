import type { Model } from "../model/model.ts";
import { followPositions } from "./followPositions.ts";
import {
  planOf,
  positionsUnknown,
  type UnrolledLayer,
  type UnrolledLink,
  type UnrolledOptions,
  type UnrolledPlan,
} from "./unrolledPlan.ts";

/**
 * A model of dense layers alone unrolls into its rolled graph; any other needs what its file declares of strides and sizes.
 * Cost: O(channels), whatever the number of nodes and edges; no weight is read.
 * @throws {GraphError} `GRAPH_POSITIONS_UNKNOWN`, `GRAPH_TOO_LARGE`; {ShapeError} `SHAPE_MISMATCH` where sizes contradict each
 * other.
 */
export function planUnrolled(model: Model, options: UnrolledOptions = {}): UnrolledPlan {
  if (model.geometry !== undefined) return followPositions(model, model.geometry, options);
  const { topology, layers } = model;
  const isDense = topology.wires.every(
    ({ layer, layout, recurrent }) =>
      !recurrent && layout.taps === 1 && /^(torch_)?dense$/.test(layers[layer]!.kind),
  );
  if (!isDense) {
    throw positionsUnknown(model, [], "no strides, padding and sizes are read from this file");
  }
  let offset = 0;
  const placed = topology.layers.map(({ name, size }): UnrolledLayer => {
    offset += size;
    return { name, channels: size, positions: [], offset: offset - size, size };
  });
  const links = topology.wires.map(({ layer: index, from, to, layout }): UnrolledLink => {
    const layer = layers[index]!;
    return {
      name: layer.name,
      weights: { layer, layout },
      groups: layout.groups,
      columns: Float64Array.from(from),
      rows: Float64Array.from(to),
      axes: [],
      edges: (to.length * from.length) / layout.groups,
    };
  });
  return planOf(model, placed, links);
}
