/** A series epoch by epoch: what cannot be read is left out and told, and so is what its models warn of. */
import {
  isWeightGraphError,
  layeredGraph,
  type EpochGraph,
  type Model,
  type ModelWarning,
  type Series,
  type SeriesSnapshot,
} from "../src/index.ts";

export interface FollowedSeries {
  /** One graph at a time. Throws the first failure if no snapshot could be read. */
  graphs(): AsyncGenerator<EpochGraph, void, undefined>;
  /** Once the graphs have been walked: the snapshots that gave one. */
  readonly snapshots: readonly SeriesSnapshot[];
  /** Once the graphs have been walked: those of the series, of the damaged snapshots, and of the models. */
  warnings(): ModelWarning[];
}

export interface FollowOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (text: string) => void;
}

/** Distinct warnings of models that are told; files with thousands of tensors may have one each. */
const mostWarnings = 50;

export function followSeries(
  series: Series,
  { signal, onProgress }: FollowOptions = {},
): FollowedSeries {
  const snapshots: SeriesSnapshot[] = [];
  const damaged: ModelWarning[] = [];
  const ofModels = new Map<string, { warning: ModelWarning; names: string[] }>();
  const note = ({ warnings }: Model, name: string): void => {
    for (const warning of warnings) {
      const key = JSON.stringify([warning.code, warning.message]);
      const known = ofModels.get(key);
      if (known !== undefined) known.names.push(name);
      else if (ofModels.size < mostWarnings) ofModels.set(key, { warning, names: [name] });
    }
  };
  return {
    snapshots,
    async *graphs() {
      let failure: unknown;
      for (const [done, snapshot] of series.snapshots.entries()) {
        const { epoch, name } = snapshot;
        signal?.throwIfAborted();
        onProgress?.(`${name}, ${done + 1} of ${series.snapshots.length}`);
        try {
          const model = await snapshot.load();
          const graph = await layeredGraph(model);
          snapshots.push(snapshot);
          note(model, name);
          yield { epoch, graph };
        } catch (error) {
          if (!isDamage(error)) throw error;
          failure ??= error;
          const message = `${name} is left out: ${error.path.slice(1).join(" › ")} ${error.message}`;
          const code =
            error.code === "WEIGHTS_NOT_FINITE" ? "SERIES_NOT_FINITE" : "SERIES_UNREADABLE";
          damaged.push({ code, message: message.replace(/: +/, ": ") });
        }
      }
      if (snapshots.length === 0 && failure !== undefined) throw failure;
    },
    warnings() {
      const told = [...ofModels.values()].map(({ warning, names }) => {
        if (names.length === snapshots.length) return warning;
        const more = names.length > 1 ? ` and ${names.length - 1} more` : "";
        return { code: warning.code, message: `${names[0]}${more}: ${warning.message}` };
      });
      return [...series.warnings, ...damaged, ...told];
    },
  };
}

/** What is wrong with one file alone; limits that the user set, and another network, concern the whole. */
function isDamage(
  error: unknown,
): error is Error & { code: string; path: readonly (string | number)[] } {
  if (!isWeightGraphError(error) || error.code === "FORMAT_LIMIT") return false;
  return (
    error.code.startsWith("FORMAT_") ||
    ["WEIGHTS_NOT_FINITE", "FILE_NOT_FOUND"].includes(error.code)
  );
}
