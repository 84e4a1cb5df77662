/**
 * Which of the tensors in a checkpoint are the network's weights. A checkpoint is any nest of dictionaries, lists and objects; the
 * optimiser's state, running averages and other networks lie in it under names that are custom, not rule. What is left out is told.
 */
import { attributesOf, entriesOf, PickleCall, type PickleValue } from "../../bytes/pickleValue.ts";
import type { ModelWarning } from "../../model/model.ts";
import {
  isModule,
  joined,
  visit,
  walkModule,
  type ModuleInfo,
  type NamedTensor,
  type WalkBudget,
} from "./moduleTree.ts";
import { tensorRecord } from "./tensorRecord.ts";
import { holdersOfTensors } from "./holdersOfTensors.ts";

export interface ChosenWeights {
  readonly tensors: readonly NamedTensor[];
  /** Where a whole module was saved: every module in it, outside in. */
  readonly modules: readonly ModuleInfo[];
  /** What leads to them in the file: `["checkpoint", "state_dict"]`. */
  readonly path: readonly string[];
  readonly warnings: readonly ModelWarning[];
}

/** Keys that name the weights, the likeliest first. */
const customary = [
  "state_dict",
  "model_state_dict",
  "model_state",
  "model_dict",
  "model_weights",
  "model",
  "net_state_dict",
  "net",
  "network",
  "module",
  "params",
  "weights",
  "state",
];
const optimiserKey =
  /(^|[_.-])(optim\w*|opt|opt[A-Z]\w*|sched\w*|lr_\w+|scaler|grad_scaler|amp|rngs?|rng_states?|momentum_buffer)([_.-]|$)|optimi[sz]er/i;
const copyKey =
  /(^|[_.-])(ema|swa|avg|averaged?|teacher|target|shadow|best|last|init|initial|prev|previous|old|backup|copy)([_.-]|$)/i;

/** @throws {FormatError} `FORMAT_LIMIT` */
export function chooseWeights(root: PickleValue): ChosenWeights {
  const chooser: Chooser = {
    holders: holdersOfTensors(root),
    budget: { visits: 0, within: new Set() },
    others: [],
  };
  const found = choose(chooser, root, []);
  return { ...found, warnings: [...found.warnings, ...othersWarning(found, chooser.others)] };
}

interface Chooser {
  /** Everything that a tensor lies in. */
  readonly holders: ReadonlySet<PickleValue>;
  readonly budget: WalkBudget;
  readonly others: {
    readonly path: readonly string[];
    readonly value: PickleValue;
    readonly why: string;
  }[];
}

const none: ChosenWeights = { tensors: [], modules: [], path: [], warnings: [] };

function choose(chooser: Chooser, value: PickleValue, path: readonly string[]): ChosenWeights {
  if (isModule(value)) return { ...none, ...walkModule(value, "", chooser.budget), path };
  return visit(chooser.budget, value, none, () => chooseWithin(chooser, value, path));
}

function chooseWithin(
  chooser: Chooser,
  value: PickleValue,
  path: readonly string[],
): ChosenWeights {
  const record = tensorRecord(value);
  if (record !== null) {
    return { ...none, tensors: [{ name: "tensor", record, owner: null, kind: null }], path };
  }
  if (hasKey(value, "param_groups")) {
    chooser.others.push({ path, value, why: "the state of an optimiser" });
    return none;
  }
  const inner = fieldsOf(value, chooser);
  const optimisers = inner.filter((field) => field.isHolder && isOptimiserField(field));
  for (const { key, value: own } of optimisers) {
    chooser.others.push({ path: [...path, key], value: own, why: "the state of an optimiser" });
  }
  const fields = inner.filter((field) => !optimisers.includes(field));
  const holders = fields.filter(({ isHolder }) => isHolder);
  const usual = customary
    .map((key) => holders.find((field) => field.key.toLowerCase() === key))
    .find((field) => field !== undefined);
  if (usual !== undefined) {
    const found = choose(chooser, usual.value, [...path, usual.key]);
    if (found.tensors.length > 0)
      return leavingOut(chooser, { fields: holders, kept: [usual], path, found });
  }
  const hasOwn = fields.some(({ value: own }) => (tensorRecord(own)?.shape.length ?? 0) > 0);
  if (hasOwn) return { ...none, tensors: flatten(chooser, fields, ""), path };
  const networks = withoutCopies(holders);
  if (networks.length === 1) {
    const found = choose(chooser, networks[0]!.value, [...path, networks[0]!.key]);
    return leavingOut(chooser, { fields: holders, kept: networks, path, found });
  }
  const scalars = networks.length === 0 ? flatten(chooser, fields, "") : [];
  const found = { ...joinNetworks(chooser, networks, path) };
  return leavingOut(chooser, {
    fields: holders,
    kept: networks,
    path,
    found: networks.length === 0 ? { ...none, tensors: scalars, path } : found,
  });
}

function leavingOut(
  chooser: Chooser,
  {
    fields,
    kept,
    path,
    found,
  }: {
    readonly fields: readonly Field[];
    readonly kept: readonly Field[];
    readonly path: readonly string[];
    readonly found: ChosenWeights;
  },
): ChosenWeights {
  for (const field of fields) {
    if (kept.includes(field)) continue;
    chooser.others.push({ path: [...path, field.key], value: field.value, why: "not read" });
  }
  return found;
}

/** All but running averages and older copies; the first of them where there is nothing else. */
function withoutCopies(holders: readonly Field[]): readonly Field[] {
  const networks = holders.filter(({ key }) => !copyKey.test(key));
  return networks.length > 0 ? networks : holders.slice(0, 1);
}

/** Several networks, or parts of one, under a key each (an encoder and a decoder, the two of a GAN). */
function joinNetworks(
  chooser: Chooser,
  networks: readonly Field[],
  path: readonly string[],
): ChosenWeights {
  const parts = networks.map(({ key, value }) => ({
    key,
    found: choose(chooser, value, [...path, key]),
  }));
  const filled = parts.filter(({ found }) => found.tensors.length > 0);
  const isSplit = filled.some(({ found }) => found.tensors.some(({ name }) => name.includes(".")));
  const names = filled.map(({ key }) => key);
  const message = `${names.length} state dicts are read as one, their keys before the names: ${briefly(names)}`;
  return {
    tensors: filled.flatMap(({ key, found }) =>
      found.tensors.map((tensor) => ({ ...tensor, name: joined(key, tensor.name) })),
    ),
    modules: filled.flatMap(({ key, found }) =>
      found.modules.map((own) => ({
        ...own,
        name: joined(key, own.name),
        children: own.children.map((child) => joined(key, child)),
      })),
    ),
    path,
    warnings: [
      ...(isSplit && filled.length > 1 ? [{ code: "STATE_DICTS_JOINED", message }] : []),
      ...filled.flatMap(({ found }) => found.warnings),
    ],
  };
}

/** Tensors under dotted names, whatever they are nested in. */
function flatten(chooser: Chooser, fields: readonly Field[], prefix: string): NamedTensor[] {
  return fields.flatMap(({ key, value }): NamedTensor[] => {
    const name = joined(prefix, key);
    const record = tensorRecord(value);
    if (record !== null) return [{ name, record, owner: null, kind: null }];
    if (!chooser.holders.has(value)) return [];
    if (isModule(value)) return walkModule(value, name, chooser.budget).tensors;
    return visit(chooser.budget, value, [], () => flatten(chooser, fieldsOf(value, chooser), name));
  });
}

interface Field {
  readonly key: string;
  readonly value: PickleValue;
  /** Tensors lie in it, and it is none itself. */
  readonly isHolder: boolean;
}

function fieldsOf(value: PickleValue, { holders, budget }: Chooser): Field[] {
  if (!holders.has(value)) return [];
  const isField = (own: PickleValue): boolean =>
    !budget.within.has(own) && (holders.has(own) || tensorRecord(own) !== null);
  return partsOf(value).flatMap(([key, own]): Field[] =>
    isField(own) ? [{ key: String(key), value: own, isHolder: tensorRecord(own) === null }] : [],
  );
}

/** What a value is made of, by name or index. */
function partsOf(value: PickleValue): readonly (readonly [string | number, PickleValue])[] {
  const entries = entriesOf(value) ?? attributesOf(value);
  if (entries !== null) {
    return [...entries].flatMap(([key, own]) =>
      typeof key === "string" || typeof key === "number" ? [[key, own] as const] : [],
    );
  }
  if (Array.isArray(value)) return value.map((own, index) => [index, own] as const);
  if (!(value instanceof PickleCall)) return [];
  const inside = value.items ?? value.state ?? value.args;
  return Array.isArray(inside) ? inside.map((own, index) => [index, own] as const) : [];
}

function hasKey(value: PickleValue, key: string): boolean {
  return entriesOf(value)?.has(key) === true || attributesOf(value)?.has(key) === true;
}

function isOptimiserField({ key, value }: Field): boolean {
  const isClass = value instanceof PickleCall && value.path?.startsWith("torch.optim.") === true;
  return isClass || hasKey(value, "param_groups") || (!isModule(value) && optimiserKey.test(key));
}

function othersWarning(found: ChosenWeights, others: Chooser["others"]): ModelWarning[] {
  if (others.length === 0 || found.tensors.length === 0) return [];
  const where = found.path.length === 0 ? "the top of the file" : found.path.join(" › ");
  const named = others.map(({ path, why }) =>
    why === "not read" ? path.join(" › ") : `${path.join(" › ")} (${why})`,
  );
  return [
    {
      code: "STATE_DICT_CHOSEN",
      message: `the weights are read from ${where}; left out: ${briefly(named)}`,
    },
  ];
}

function briefly(names: readonly string[]): string {
  return names.slice(0, 8).join(", ") + (names.length > 8 ? `, … (${names.length})` : "");
}
