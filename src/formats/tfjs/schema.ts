/** The shape of TensorFlow.js' JSON files, as far as it is read. */
import * as v from "valibot";
import { FormatError } from "../../errors.ts";

export interface WeightEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantization?:
    | {
        readonly dtype: "uint8" | "uint16" | "float16";
        readonly scale?: number | undefined;
        readonly min?: number | undefined;
      }
    | undefined;
}

export interface WeightGroup {
  readonly paths: readonly string[];
  readonly weights: readonly WeightEntry[];
}

export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly input: readonly string[];
  readonly attr: Readonly<Record<string, unknown>>;
}

const finite = v.pipe(v.number(), v.finite());

const manifestSchema: v.GenericSchema<unknown, WeightGroup[]> = v.array(
  v.object({
    paths: v.array(v.pipe(v.string(), v.minLength(1))),
    weights: v.array(
      v.object({
        name: v.string(),
        shape: v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
        dtype: v.string(),
        quantization: v.optional(
          v.object({
            dtype: v.picklist(["uint8", "uint16", "float16"]),
            scale: v.optional(finite),
            min: v.optional(finite),
          }),
        ),
      }),
    ),
  }),
);

const graphSchema: v.GenericSchema<unknown, { node: GraphNode[] }> = v.object({
  node: v.array(
    v.object({
      name: v.string(),
      op: v.string(),
      input: v.optional(v.array(v.string()), []),
      attr: v.optional(v.record(v.string(), v.unknown()), {}),
    }),
  ),
});

type Path = readonly (string | number)[];

/** @throws {FormatError} `FORMAT_MALFORMED` */
export function checkManifest(json: unknown, path: Path): WeightGroup[] {
  return checked(manifestSchema, json, path);
}

/** @throws {FormatError} `FORMAT_MALFORMED` */
export function checkGraph(json: unknown, path: Path): GraphNode[] {
  return checked(graphSchema, json, path).node;
}

function checked<T>(schema: v.GenericSchema<unknown, T>, json: unknown, path: Path): T {
  const result = v.safeParse(schema, json, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const inner = issue.path?.map(({ key }) => key as string | number) ?? [];
  throw new FormatError("FORMAT_MALFORMED", issue.message, { path: [...path, ...inner] });
}
