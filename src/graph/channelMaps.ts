import { GraphError } from "../errors.ts";
import { elementCount, type Shape } from "../tensor/shape.ts";
import type { UnrolledLayer } from "./unrolledPlan.ts";

/** Maps that one network may have: sizes in a file are only numbers. */
export const mapLimit: number = 2 ** 24;

/** The maps of an unrolled graph: a channel with all its positions each. */
export interface ChannelMaps {
  /** New maps, in one layer. @throws {GraphError} `GRAPH_TOO_LARGE` */
  add(name: string, channels: number, positions: Shape): Int32Array;
  /** Makes `a[i]` and `b[i]`, of equal positions, one map. */
  merge(this: void, a: Int32Array, b: Int32Array): void;
  /** Numbers the nodes, layer after layer; a map that is one with an earlier one lives on in that. */
  number(): {
    readonly layers: readonly UnrolledLayer[];
    /** First node of each map. */
    readonly first: (maps: Int32Array) => Float64Array;
  };
}

export function channelMaps(): ChannelMaps {
  const layers: { name: string; channels: number; positions: Shape }[] = [];
  const parent: number[] = [];
  const rootOf = (map: number): number => {
    let at = map;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!;
      at = parent[at]!;
    }
    return at;
  };
  return {
    add(name, channels, positions) {
      if (!(parent.length + channels <= mapLimit)) {
        throw new GraphError("GRAPH_TOO_LARGE", `over ${mapLimit} channels`, { path: [name] });
      }
      layers.push({ name, channels, positions });
      return Int32Array.from({ length: channels }, () => parent.push(parent.length) - 1);
    },
    merge(a, b) {
      a.forEach((map, i) => {
        const one = rootOf(map);
        const other = rootOf(b[i]!);
        parent[Math.max(one, other)] = Math.min(one, other);
      });
    },
    number() {
      const first = new Float64Array(parent.length);
      const placed: UnrolledLayer[] = [];
      let map = 0;
      let node = 0;
      for (const { name, channels, positions } of layers) {
        const places = elementCount(positions);
        const offset = node;
        let own = 0;
        for (const end = map + channels; map < end; map++) {
          const root = rootOf(map);
          if (root !== map) first[map] = first[root]!;
          else {
            first[map] = offset + own * places;
            own++;
          }
        }
        node += own * places;
        if (own > 0) placed.push({ name, channels: own, positions, offset, size: own * places });
      }
      return { layers: placed, first: (maps) => Float64Array.from(maps, (id) => first[id]!) };
    },
  };
}
