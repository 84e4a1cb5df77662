/**
 * Writes down how positions go through the graph, node by node, beside the walk that follows neurons. What is not followed here
 * is lost by name, so that unrolling says which operator stands in its way.
 */
import type { Geometry, GeometryStep } from "../../model/geometry.ts";
import { lostAt, type Place, type PlacedCall, type Steps } from "./place.ts";
import { placeRules } from "./placeRules.ts";
import type { OnnxInput } from "./schema.ts";

export interface GeometryTrace {
  /** Where what the node puts out stands. */
  follow(placed: PlacedCall): Promise<Place>;
  finish(): Geometry;
}

export function geometryTrace(): GeometryTrace {
  const steps: GeometryStep[] = [];
  const opened = new Map<string, number>();
  const push = (step: GeometryStep): number => steps.push(step) - 1;
  const open = ({ name, shape }: OnnxInput, channels: number, positions: readonly number[]) => {
    const key = [name, channels, ...positions].join();
    const known = opened.get(key);
    if (known !== undefined) return known;
    const step = push({
      op: "input",
      name,
      channels: shape?.[channels] ?? null,
      positions: shape && positions.map((axis) => shape[axis] ?? null),
    });
    opened.set(key, step);
    return step;
  };
  const trace: Steps = {
    push,
    mapAt(place) {
      if (place?.kind === "map") return place;
      if (place?.kind !== "input" || place.order.length < 3) return null;
      const [, channels, ...positions] = place.order;
      return {
        kind: "map",
        step: open(place.input, channels!, positions),
        rank: place.order.length,
        isLast: false,
      };
    },
    stepOf(place) {
      if (place?.kind === "map" || place?.kind === "features") return place.step;
      if (place?.kind === "input" && place.order.length > 1) {
        const [, channels, ...positions] = place.order;
        return open(place.input, channels!, positions);
      }
      const reason = place?.kind === "lost" ? place.reason : "the input's axes are not declared";
      return push({ op: "unknown", reason });
    },
  };
  return {
    async follow(placed) {
      const { node } = placed.call;
      const rule = placeRules.get(node.opType);
      const isKnown = placed.places.some((place) => place !== undefined) && rule !== undefined;
      const place = isKnown ? await rule(placed, trace) : lostAt(node);
      if (place.kind !== "lost" || placed.added.length === 0) return place;
      const of = trace.stepOf(place);
      for (const { index } of placed.added) push({ op: "connect", layer: index, of, window: null });
      return place;
    },
    finish: () => ({ steps }),
  };
}

/** A graph input as it is declared. */
export function inputPlace(input: OnnxInput): Place {
  const { name, shape } = input;
  if (shape === null)
    return { kind: "lost", reason: `the axes of the input ${name} are not declared` };
  return { kind: "input", input, order: [...shape.keys()] };
}
