import { GraphError } from "../errors.ts";
import { elementCount, type Shape } from "../tensor/shape.ts";
import type { UnrolledLayer } from "./unrolledPlan.ts";

/** Maps that one network may have: sizes in a file are only numbers. */
export const mapLimit: number = 2 ** 24;

/** The maps of an unrolled graph: a channel with all its positions each. */
export interface ChannelMaps {
  /** New maps, in one layer. @throws {GraphError} `GRAPH_TOO_LARGE` */
  add(name: string, channels: number, positions: Shape): Int32Array;
  /** Makes `a[i]` and `b[i]`, of equal positions, one map; false where one of them stands in two maps then. */
  merge(this: void, a: Int32Array, b: Int32Array): boolean;
  /** Makes each unit, a map of one position, one position of another map; false where it stands in one already. */
  place(units: Int32Array, at: (unit: number) => Seat): boolean;
  /** Numbers the nodes, layer after layer; a map that is one with an earlier one lives on in that. */
  number(): {
    readonly layers: readonly UnrolledLayer[];
    /** First node of each map. */
    readonly first: (maps: Int32Array) => Float64Array;
  };
}

interface Seat {
  readonly map: number;
  readonly position: number;
}

export function channelMaps(): ChannelMaps {
  const layers: { name: string; channels: number; positions: Shape }[] = [];
  const parent: number[] = [];
  /** Where units stand that are a position of another map. */
  const stands = new Map<number, Seat>();
  const rootOf = (map: number): number => {
    let at = map;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!;
      at = parent[at]!;
    }
    return at;
  };
  /** The map and position that a map of one position comes to in the end; of another map its first. */
  const seatOf = (id: number): Seat => {
    let seat: Seat = { map: rootOf(id), position: 0 };
    for (let next = stands.get(seat.map); next !== undefined; next = stands.get(seat.map)) {
      seat = { map: rootOf(next.map), position: next.position };
    }
    return seat;
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
      return a.every((map, i) => {
        const one = rootOf(map);
        const other = rootOf(b[i]!);
        const seats = [seatOf(one), seatOf(other)] as const;
        if (seats[0].map === seats[1].map && seats[0].position === seats[1].position) return true;
        if (stands.has(one) && stands.has(other)) return false;
        if (stands.has(one)) stands.set(other, seats[0]);
        else if (stands.has(other)) stands.set(one, seats[1]);
        else parent[Math.max(one, other)] = Math.min(one, other);
        return true;
      });
    },
    place(units, at) {
      const roots = units.map(rootOf);
      if (new Set(roots).size < roots.length || roots.some((root) => stands.has(root)))
        return false;
      roots.forEach((root, unit) => stands.set(root, at(unit)));
      return true;
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
          if (root !== map || stands.has(root)) continue;
          first[map] = offset + own * places;
          own++;
        }
        node += own * places;
        if (own > 0) placed.push({ name, channels: own, positions, offset, size: own * places });
      }
      const nodeOf = (id: number): number => {
        const { map: own, position } = seatOf(id);
        return first[own]! + position;
      };
      return { layers: placed, first: (maps) => Float64Array.from(maps, nodeOf) };
    },
  };
}
