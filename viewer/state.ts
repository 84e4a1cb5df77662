import type { Theme } from "../cli/picture/colours.ts";
import { measureScale, type MeasureScale } from "../cli/picture/measureScale.ts";
import type { ViewEpoch, ViewStructure } from "../src/index.ts";

export interface ViewState {
  readonly theme: Theme;
  /** Index of the epoch asked for; `epoch` follows when its data have come. */
  readonly wanted: number;
  readonly epoch: ViewEpoch;
  /** Measure ids. */
  readonly colourBy: string;
  readonly sizeBy: string;
  /** What a measure's range is taken over. */
  readonly range: "graph" | "layer";
  readonly positive: boolean;
  readonly negative: boolean;
  /** Share of the edges in hand to draw, strongest first: 0..1. */
  readonly edgeShare: number;
  readonly hovered: number | null;
  readonly pinned: number | null;
  readonly playing: boolean;
}

export interface Store {
  get(): ViewState;
  set(change: Partial<ViewState>): void;
  /** Runs now and whenever one of `keys` has a new value. */
  follow(keys: readonly (keyof ViewState)[], run: (state: ViewState) => void): void;
}

export function createStore(initial: ViewState): Store {
  let state = initial;
  const followers: { keys: readonly (keyof ViewState)[]; run: (state: ViewState) => void }[] = [];
  return {
    get: () => state,
    set(change) {
      const before = state;
      state = { ...state, ...change };
      for (const { keys, run } of followers) {
        if (keys.some((key) => before[key] !== state[key])) run(state);
      }
    },
    follow(keys, run) {
      followers.push({ keys, run });
      run(state);
    },
  };
}

/** The scale of the measure that is chosen for colours or for sizes; null when none is. */
export function scaleOf(
  structure: ViewStructure,
  state: ViewState,
  key: "colourBy" | "sizeBy",
): MeasureScale | null {
  return measureScale(structure, state.epoch, { id: state[key], range: state.range });
}
