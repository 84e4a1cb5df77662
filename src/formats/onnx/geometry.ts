/**
 * Writes down how positions go through the graph, node by node, beside the walk that follows neurons. What is not followed here
 * is lost by name, so that unrolling says which operator stands in its way.
 */
import type { Geometry, GeometryStep } from "../../model/geometry.ts";
import { lostAt, type OpenSource, type Place, type PlacedCall, type Steps } from "./place.ts";
import { placeRules } from "./placeRules.ts";
import type { OnnxInput } from "./schema.ts";

export interface GeometryTrace {
  /** Where what the node puts out stands. */
  follow(placed: PlacedCall): Promise<Place>;
  finish(): Geometry;
}

export function geometryTrace(): GeometryTrace {
  const steps: GeometryStep[] = [];
  const opened = new Map<OpenSource, Map<string, number>>();
  const push = (step: GeometryStep): number => steps.push(step) - 1;
  const open = (source: OpenSource, order: readonly number[]): number => {
    const known = opened.get(source) ?? new Map<string, number>();
    opened.set(source, known);
    const key = order.join();
    const step = known.get(key) ?? push(openStep(source, order));
    known.set(key, step);
    return step;
  };
  const trace: Steps = {
    push,
    mapAt(place) {
      if (place?.kind === "map") return place;
      if (place?.kind !== "open" || place.order.length < 3) return null;
      const { source, order } = place;
      return { kind: "map", step: open(source, order), rank: order.length, isLast: false };
    },
    stepOf(place) {
      if (place?.kind === "map" || place?.kind === "features") return place.step;
      if (place?.kind === "open" && place.order.length > 1) return open(place.source, place.order);
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
  return { kind: "open", source: { name, shape, units: null }, order: [...shape.keys()] };
}

/** Channels are on the second axis of `order`, positions on those behind. */
function openStep({ name, shape, units }: OpenSource, order: readonly number[]): GeometryStep {
  const [, axis, ...others] = order as [number, number, ...number[]];
  const channels = shape[axis] ?? null;
  const positions = others.map((other) => shape[other] ?? null);
  if (units === null) return { op: "input", name, channels, positions };
  const isStraight = others.every((other, i) => i === 0 || other > others[i - 1]!);
  if (!isStraight || (axis !== 1 && axis !== shape.length - 1)) {
    return { op: "unknown", reason: `${name} is turned in a way that is not followed` };
  }
  const direction = axis === 1 ? "channels first" : "positions first";
  return { op: "unflatten", name, of: units, channels, positions, order: direction };
}
