/** Flags made from the registry of measures: one per parameter name, whichever measures share it. */
import {
  anyMeasureById,
  blockMeasures,
  measureById,
  measures,
  UsageError,
  type BlockMeasure,
  type Measure,
  type MeasureParameter,
  type ParameterValue,
  type ParameterValues,
} from "../src/index.ts";
import { finiteNumber } from "./flags.ts";

type MeasureFlag = { readonly brief: string; readonly optional: true } & (
  | {
      readonly kind: "parsed";
      readonly parse: (text: string) => ParameterValue;
      readonly placeholder: string;
    }
  | { readonly kind: "boolean" }
);

type AnyMeasure = Measure | BlockMeasure;

const parametersByName = new Map<string, { measure: AnyMeasure; parameter: MeasureParameter }[]>();
for (const measure of [...measures, ...blockMeasures]) {
  for (const parameter of measure.parameters) {
    const users = parametersByName.get(parameter.name) ?? [];
    parametersByName.set(parameter.name, [...users, { measure, parameter }]);
  }
}

/** `--sign`, `--direction`, `--l`, …: every parameter of every measure. */
export const measureFlags: Readonly<Record<string, MeasureFlag>> = Object.fromEntries(
  Array.from(parametersByName, ([name, users]) => [name, flagOf(users)]),
);

/** One-letter parameters are written `--l` or `-l`. */
export const measureAliases: Readonly<Record<string, never>> = Object.fromEntries(
  Object.keys(measureFlags).flatMap((name) => (name.length === 1 ? [[name, name as never]] : [])),
);

/**
 * The measures named in `ids`, of neurons or of blocks; those that are not on request only if none are named; `all` are all.
 * @throws {UsageError} `USAGE_UNKNOWN_MEASURE`
 */
export function chosenMeasures(ids: readonly string[] | undefined): readonly AnyMeasure[] {
  const all = [...measures, ...blockMeasures];
  if (ids === undefined) return all.filter(({ onRequest = false }) => !onRequest);
  return [...new Set(ids)].flatMap((id) => (id === "all" ? all : [anyMeasureById(id)]));
}

/** The same of neurons only. @throws {UsageError} `USAGE_UNKNOWN_MEASURE` */
export function chosenNodeMeasures(ids: readonly string[] | undefined): readonly Measure[] {
  if (ids === undefined) return measures.filter(({ onRequest = false }) => !onRequest);
  return [...new Set(ids)].flatMap((id) => (id === "all" ? measures : [measureById(id)]));
}

/**
 * For each measure the flags that it takes. With `lenient` a measure that does not know the value of a choice keeps its default,
 * as long as another takes it: `--sign signed` is of strengths, and says nothing of hypercores.
 * @throws {UsageError} `USAGE_INVALID_OPTION` for a flag that none of the chosen measures takes.
 */
export function parametersFor(
  chosen: readonly AnyMeasure[],
  flags: Readonly<Record<string, unknown>>,
  { lenient }: { readonly lenient: boolean },
): ReadonlyMap<AnyMeasure, ParameterValues> {
  const given = Object.keys(measureFlags).filter((name) => flags[name] !== undefined);
  const takes = (measure: AnyMeasure, name: string): boolean => {
    const users = measuresTaking(chosen, name, flags[name]);
    const any = lenient && users.length > 0 ? users : measuresTaking(chosen, name);
    return any.includes(measure);
  };
  for (const name of given) {
    if (!chosen.some((measure) => takes(measure, name))) {
      const users = parametersByName.get(name)?.map(({ measure }) => measure.id) ?? [];
      throw new UsageError("USAGE_INVALID_OPTION", `--${name} is of ${users.join(" and ")} only`, {
        hint: `Add it: --measures ${[...chosen.map(({ id }) => id), ...users].join(",")}.`,
      });
    }
  }
  return new Map(
    chosen.map((measure) => [
      measure,
      Object.fromEntries(
        given
          .filter((name) => takes(measure, name))
          .map((name) => [name, flags[name] as ParameterValue]),
      ),
    ]),
  );
}

/** Those of `chosen` with a parameter of this name and, if it is a choice, with this value among its choices. */
function measuresTaking(
  chosen: readonly AnyMeasure[],
  name: string,
  value?: unknown,
): readonly AnyMeasure[] {
  return chosen.filter(({ parameters }) =>
    parameters.some(
      (parameter) =>
        parameter.name === name &&
        (value === undefined ||
          parameter.kind !== "choice" ||
          parameter.choices.some((choice) => choice === value)),
    ),
  );
}

function flagOf(
  users: readonly { measure: AnyMeasure; parameter: MeasureParameter }[],
): MeasureFlag {
  const { parameter } = users[0]!;
  const brief = users
    .map(({ measure, parameter: own }) => `${measure.id}: ${own.description}`)
    .join(" ");
  const flag = { brief, optional: true } as const;
  switch (parameter.kind) {
    case "choice": {
      const choices = users.flatMap(({ parameter: own }) =>
        own.kind === "choice" ? own.choices : [],
      );
      return {
        ...flag,
        kind: "parsed",
        parse: String,
        placeholder: [...new Set(choices)].join("|"),
      };
    }
    case "number":
      return {
        ...flag,
        kind: "parsed",
        parse: finiteNumber,
        placeholder: parameter.integer ? "N" : "X",
      };
    case "boolean":
      return { ...flag, kind: "boolean" };
  }
}
