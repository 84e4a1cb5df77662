/** Where activations stand while a graph is walked: channels and positions, not neurons. */
import type { GeometryStep } from "../../model/geometry.ts";
import type { NodeReader } from "./nodeReader.ts";
import type { Call } from "./operator.ts";
import type { Dimension } from "./schema.ts";

/** Where the elements of an activation stand: channels and positions of a step, or axes that nothing has read yet. */
export type Place =
  | { readonly kind: "map"; readonly step: number; readonly rank: number; readonly isLast: boolean }
  | { readonly kind: "features"; readonly step: number }
  | { readonly kind: "open"; readonly source: OpenSource; readonly order: readonly number[] }
  | { readonly kind: "lost"; readonly reason: string };

/** Axes of which none is known yet to be that of the channels: of a graph input, or of units that a reshape makes a map of. */
export interface OpenSource {
  readonly name: string;
  /** That of the batch too. */
  readonly shape: readonly Dimension[];
  /** The step of the units; null for an input. */
  readonly units: number | null;
}

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
