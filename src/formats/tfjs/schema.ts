/** The shape of TensorFlow.js' JSON files, as far as it is read. */
import * as v from "valibot";
import { FormatError } from "../../errors.ts";
import type { ShardRun } from "./shards.ts";

export interface WeightEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  /** `optimizer` for the state of one, saved beside the weights. */
  readonly group?: string | undefined;
  readonly quantization?:
    | {
        readonly dtype: "uint8" | "uint16" | "float16";
        readonly scale?: number | undefined;
        readonly min?: number | undefined;
        /** The type before it was packed; the converter says it in `dtype` as well. */
        readonly original_dtype?: string | undefined;
      }
    | undefined;
}

export interface WeightGroup {
  readonly paths: readonly string[];
  readonly weights: readonly WeightEntry[];
  /** Bytes that stand in the JSON itself, in place of shards. */
  readonly data?: ShardRun;
}

export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly input: readonly string[];
  readonly attr: Readonly<Record<string, unknown>>;
}

/** A function of the graph's library: the body of a loop, the branch of a condition. */
export interface GraphFunction {
  readonly name: string;
  readonly inputs: readonly string[];
  /** Which edge of the body each output is. */
  readonly outputs: readonly string[];
  readonly nodes: readonly GraphNode[];
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly functions: ReadonlyMap<string, GraphFunction>;
}

const finite = v.pipe(v.number(), v.finite());

const entriesSchema: v.GenericSchema<unknown, WeightEntry[]> = v.array(
  v.object({
    name: v.string(),
    shape: v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
    dtype: v.optional(v.string(), "float32"),
    group: v.optional(v.string()),
    quantization: v.optional(
      v.object({
        dtype: v.picklist(["uint8", "uint16", "float16"]),
        scale: v.optional(finite),
        min: v.optional(finite),
        original_dtype: v.optional(v.string()),
      }),
    ),
  }),
);

const groupSchema = v.object({
  paths: v.array(v.pipe(v.string(), v.minLength(1))),
  weights: v.optional(entriesSchema),
  weightSpecs: v.optional(entriesSchema),
});

const manifestSchema: v.GenericSchema<unknown, WeightGroup[]> = v.array(
  v.pipe(
    groupSchema,
    v.check(
      ({ weights, weightSpecs }) => weights !== undefined || weightSpecs !== undefined,
      "a group lists no weights",
    ),
    v.transform(({ paths, weights, weightSpecs }) => ({
      paths,
      weights: weights ?? weightSpecs ?? [],
    })),
  ),
);

const nodesSchema: v.GenericSchema<unknown, GraphNode[]> = v.array(
  v.object({
    name: v.string(),
    op: v.string(),
    input: v.optional(v.array(v.string()), []),
    attr: v.optional(v.record(v.string(), v.unknown()), {}),
  }),
);

const argumentsSchema = v.optional(v.array(v.object({ name: v.string() })), []);

const graphSchema = v.object({
  node: v.optional(nodesSchema, []),
  library: v.optional(
    v.object({
      function: v.optional(
        v.array(
          v.object({
            signature: v.object({
              name: v.string(),
              inputArg: argumentsSchema,
              outputArg: argumentsSchema,
            }),
            nodeDef: v.optional(nodesSchema, []),
            ret: v.optional(v.record(v.string(), v.string()), {}),
          }),
        ),
        [],
      ),
    }),
    {},
  ),
});

type Path = readonly (string | number)[];

/** @throws {FormatError} `FORMAT_MALFORMED` */
export function checkManifest(json: unknown, path: Path): WeightGroup[] {
  return checked(manifestSchema, json, path);
}

/** A list of weights without groups, as TensorFlow.js hands it to a program. @throws {FormatError} `FORMAT_MALFORMED` */
export function checkEntries(json: unknown, path: Path): WeightEntry[] {
  return checked(entriesSchema, json, path);
}

/** @throws {FormatError} `FORMAT_MALFORMED` */
export function checkGraph(json: unknown, path: Path): Graph {
  const { node, library } = checked(graphSchema, json, path);
  const functions = (library.function ?? []).map(({ signature, nodeDef, ret }): GraphFunction => {
    const { name, inputArg, outputArg } = signature;
    return {
      name,
      inputs: inputArg.map((argument) => argument.name),
      outputs: outputArg.map((argument) =>
        Object.hasOwn(ret, argument.name) ? ret[argument.name]! : "",
      ),
      nodes: nodeDef,
    };
  });
  return { nodes: node, functions: new Map(functions.map((own) => [own.name, own])) };
}

function checked<T>(schema: v.GenericSchema<unknown, T>, json: unknown, path: Path): T {
  const result = v.safeParse(schema, json, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const inner = issue.path?.map(({ key }) => key as string | number) ?? [];
  throw new FormatError("FORMAT_MALFORMED", issue.message, { path: [...path, ...inner] });
}
