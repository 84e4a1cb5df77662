/**
 * Whole modules that were pickled, as data: the names that `state_dict()` would give, and of which class each owner is. Nothing of
 * a class is known but its name and the attributes that lie in the file.
 */
import { attributesOf, PickleCall, type PickleValue } from "../../bytes/pickleValue.ts";
import { FormatError } from "../../errors.ts";
import { tensorRecord, type TensorRecord } from "./tensorRecord.ts";

export interface ModuleInfo {
  /** Dotted, empty for the root. */
  readonly name: string;
  /** `torch.nn.modules.conv.Conv2d` */
  readonly className: string;
  readonly attributes: ReadonlyMap<PickleValue, PickleValue>;
  /** Names of its modules in their order. */
  readonly children: readonly string[];
  /** Of TorchScript, whose attributes are fewer. */
  readonly isScript: boolean;
}

export interface NamedTensor {
  readonly name: string;
  readonly record: TensorRecord;
  /** Null in a state dict. */
  readonly owner: ModuleInfo | null;
  /** Null where the file does not say; `constant`: no part of the network's state. */
  readonly kind: "parameter" | "buffer" | "constant" | null;
}

/** What walking a file may come to, whatever refers to whatever. */
export interface WalkBudget {
  visits: number;
  /** What is being walked: nothing is entered from within itself. */
  readonly within: Set<PickleValue>;
}

const maxDepth = 64;
const maxVisits = 2 ** 16;

/** What `walk` finds in `value`, or `nothing` where `value` is being walked already. @throws {FormatError} `FORMAT_LIMIT` */
export function visit<T>(budget: WalkBudget, value: PickleValue, nothing: T, walk: () => T): T {
  if (budget.within.has(value)) return nothing;
  const depth = budget.within.size;
  if (++budget.visits > maxVisits || depth > maxDepth) {
    const what = depth > maxDepth ? `objects ${maxDepth} deep` : `over ${maxVisits} objects`;
    throw new FormatError("FORMAT_LIMIT", `the pickle holds ${what} with tensors in them`);
  }
  const isHolder = typeof value === "object" && value !== null;
  if (isHolder) budget.within.add(value);
  try {
    return walk();
  } finally {
    if (isHolder) budget.within.delete(value);
  }
}

/** True for a pickled `torch.nn.Module`, or what torch.jit.save made of one. */
export function isModule(value: PickleValue | undefined): value is PickleCall {
  return isScriptObject(value) || moduleState(value) !== null;
}

function isScriptObject(value: PickleValue | undefined): value is PickleCall {
  return value instanceof PickleCall && value.path?.startsWith("__torch__.") === true;
}

/** Attributes of a module; of a `torch.fx.GraphModule` they are what its rebuilding function is given. */
function moduleState(value: PickleValue | undefined): ReadonlyMap<PickleValue, PickleValue> | null {
  if (!(value instanceof PickleCall)) return null;
  const [body] = Array.isArray(value.args) ? value.args : [];
  const states = [attributesOf(value), body instanceof Map ? body : null];
  return states.find((own) => own?.get("_modules") instanceof Map) ?? null;
}

export interface ModuleTree {
  readonly tensors: NamedTensor[];
  readonly modules: ModuleInfo[];
}

/** @throws {FormatError} `FORMAT_LIMIT` */
export function walkModule(root: PickleValue, prefix: string, budget: WalkBudget): ModuleTree {
  const tree: ModuleTree = { tensors: [], modules: [] };
  const walk = (value: PickleValue, name: string): void =>
    visit(budget, value, undefined, () => {
      if (isScriptObject(value)) walkScript({ value, name, tree }, walk);
      else walkPython({ value, name, tree }, walk);
    });
  walk(root, prefix);
  return tree;
}

interface Step {
  readonly value: PickleValue;
  readonly name: string;
  readonly tree: ModuleTree;
}
type Descend = (value: PickleValue, name: string) => void;

/** Parameters, buffers, then modules, as `state_dict()` has them. */
function walkPython({ value, name, tree }: Step, descend: Descend): void {
  const attributes = moduleState(value);
  if (!(value instanceof PickleCall)) return;
  if (attributes === null) {
    walkPositional({ value, name, tree });
    return;
  }
  const named = (key: string): [string, PickleValue][] => namedEntries(attributes.get(key));
  const modules = named("_modules").filter(([, own]) => own !== null);
  const owner: ModuleInfo = {
    name,
    className: value.path ?? "",
    attributes,
    children: modules.map(([key]) => joined(name, key)),
    isScript: false,
  };
  tree.modules.push(owner);
  const passing = new Set(namesIn(attributes.get("_non_persistent_buffers_set")));
  for (const [key, own] of named("_parameters"))
    put(tree, { name, key, own, owner, kind: "parameter" });
  for (const [key, own] of named("_buffers")) {
    if (!passing.has(key)) put(tree, { name, key, own, owner, kind: "buffer" });
  }
  for (const [key, own] of namedEntries(attributes)) {
    // Packed weights of a quantised layer: `((weight, bias), class)`.
    const isPacked = own instanceof PickleCall && own.path === "torch.ScriptObject";
    const [parts] = isPacked && Array.isArray(own.state) ? own.state : [];
    for (const [index, item] of listed(parts)) {
      const at = joined(name, key);
      put(tree, { name: at, key: index, own: item, owner, kind: null });
    }
  }
  for (const [key, own] of modules) descend(own, joined(name, key));
}

/** A module that keeps its state as a tuple: of a quantised convolution, with the weights and then the bias in it. */
function walkPositional({ value, name, tree }: Step): void {
  if (!(value instanceof PickleCall)) return;
  const owner: ModuleInfo = {
    name,
    className: value.path ?? "",
    attributes: new Map(),
    children: [],
    isScript: false,
  };
  tree.modules.push(owner);
  for (const [key, own] of positional(value.state)) {
    put(tree, { name, key, own, owner, kind: null });
  }
}

/** Tensors of a tuple: the first of several axes is the weight, the first of one the bias. */
function positional(value: PickleValue | undefined): [string, PickleValue][] {
  const names = ["weight", "bias"];
  return listed(value).map(([index, own]): [string, PickleValue] => {
    const axes = tensorRecord(own)?.shape.length;
    const name = axes === undefined ? undefined : axes > 1 ? "weight" : axes === 1 ? "bias" : "";
    const at = names.indexOf(name ?? "");
    if (at !== -1) names.splice(at, 1);
    return [at === -1 ? index : name!, own];
  });
}

/** Tensors first, then whatever else holds some; lists by their index. */
function walkScript({ value, name, tree }: Step, descend: Descend): void {
  if (!(value instanceof PickleCall)) return;
  const attributes = attributesOf(value) ?? new Map<PickleValue, PickleValue>();
  const isPacked = /\.classes\./.test(value.path ?? "");
  const items = isPacked ? listed(value.state) : positional(value.state);
  const fields = attributes.size > 0 ? namedEntries(attributes) : items;
  const modules = fields.filter(([, own]) => isScriptObject(own));
  const owner: ModuleInfo = {
    name,
    className: scriptClass(value.path ?? ""),
    attributes,
    children: modules.map(([key]) => joined(name, key)),
    isScript: true,
  };
  tree.modules.push(owner);
  for (const [key, own] of fields) {
    put(tree, { name, key, own, owner, kind: null });
    for (const [index, item] of listed(own)) {
      put(tree, { name: joined(name, key), key: index, own: item, owner, kind: null });
    }
  }
  for (const [key, own] of modules) descend(own, joined(name, key));
}

function put(
  tree: ModuleTree,
  {
    name,
    key,
    own,
    owner,
    kind,
  }: { name: string; key: string; own: PickleValue } & Pick<NamedTensor, "owner" | "kind">,
): void {
  const record = tensorRecord(own);
  if (record !== null) tree.tensors.push({ name: joined(name, key), record, owner, kind });
}

/** `__torch__.torch.nn.modules.conv.___torch_mangle_3.Conv2d` */
function scriptClass(path: string): string {
  return path.replace(/^__torch__\./, "").replace(/___torch_mangle_\d+\./g, "");
}

function namedEntries(
  value: PickleValue | ReadonlyMap<PickleValue, PickleValue> | undefined,
): [string, PickleValue][] {
  if (!(value instanceof Map)) return [];
  return [...(value as ReadonlyMap<PickleValue, PickleValue>)].flatMap(
    ([key, own]): [string, PickleValue][] => (typeof key === "string" ? [[key, own]] : []),
  );
}

/** Items of a list, also of one that TorchScript types (`torch.jit._pickle.build_tensorlist`), or of a dictionary. */
function listed(value: PickleValue | undefined): [string, PickleValue][] {
  if (value instanceof Map) return namedEntries(value);
  const isTyped = value instanceof PickleCall && value.path?.startsWith("torch.jit._pickle.");
  const [inside] = isTyped && Array.isArray(value.args) ? value.args : [value];
  const items = Array.isArray(inside) && inside.length <= 4096 ? inside : [];
  return items.map((own, index): [string, PickleValue] => [String(index), own]);
}

function namesIn(value: PickleValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((own) => typeof own === "string") : [];
}

export function joined(prefix: string, key: string): string {
  return prefix === "" ? key : `${prefix}.${key}`;
}
