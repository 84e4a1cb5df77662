/** Where activations stand while a graph is walked: channels and positions, not neurons. */
import type { GeometryStep } from "../../model/geometry.ts";
import type { NodeReader } from "./nodeReader.ts";
import type { Call } from "./operator.ts";
import type { OnnxInput } from "./schema.ts";

/** Where the elements of an activation stand: channels and positions of a step, or a graph input that nothing has read. */
export type Place =
  | { readonly kind: "map"; readonly step: number; readonly rank: number; readonly isLast: boolean }
  | { readonly kind: "features"; readonly step: number }
  | { readonly kind: "input"; readonly input: OnnxInput; readonly order: readonly number[] }
  | { readonly kind: "lost"; readonly reason: string };

/** A node, the places of its inputs, and the weight layers that it added. */
export interface PlacedCall {
  readonly call: Call;
  /** Undefined for constants. */
  readonly places: readonly (Place | undefined)[];
  /** Indices into `Model.layers`, with the taps of each kernel. */
  readonly added: readonly { readonly index: number; readonly kernel: readonly number[] }[];
}

export type Rule = (placed: PlacedCall, trace: Steps) => Place | Promise<Place>;

/** The steps so far. */
export interface Steps {
  push(step: GeometryStep): number;
  /** The place as channels on axis 1, or last, and positions; null where it is none of these. */
  mapAt(place: Place | undefined): Extract<Place, { kind: "map" }> | null;
  /** The step behind a place, whatever it is. */
  stepOf(place: Place | undefined): number;
}

export function lostAt({ opType }: NodeReader, why = "is not followed to positions"): Place {
  return { kind: "lost", reason: `${opType} ${why}` };
}
