/** Pickles that mean harm: none of what they name is run, and none costs more than its size. */
import { existsSync, rmSync } from "node:fs";
import { expect, test } from "vitest";
import { isWeightGraphError, memorySource, readModel } from "../../../src/index.ts";
import { numpyOps, op, pickled, seq } from "../../helpers/pickler.ts";

const weights = [...op.text("0.weight"), ...numpyOps([1, 2], Float32Array.of(1, 2))];
const witness = "/tmp/weightgraph-hostile-pickle";
const command = [...op.text(`touch ${witness}`), ...op.tuple1];
const call = (module: string, name: string): number[] => [
  ...op.global(module, name),
  ...command,
  ...op.reduce,
];

test.each([
  { name: "beside the weights", value: call("os", "system"), says: "os.system" },
  { name: "eval", value: call("builtins", "eval"), says: "builtins.eval" },
  { name: "Python 2's own", value: call("__builtin__", "execfile"), says: "__builtin__.execfile" },
  { name: "subprocess", value: call("subprocess", "Popen"), says: "subprocess.Popen" },
  { name: "another module's eval", value: call("numpy.testing", "x"), says: "numpy.testing.x" },
  {
    name: "within a call within a state",
    value: [
      ...op.global("net", "Net"),
      ...seq(op.emptyTuple, op.newObject, op.mark, op.text("hook")),
      ...seq(call("posix", "system"), op.dict, op.build),
    ],
    says: "posix.system",
  },
  {
    name: "as a reduced state",
    value: [...call("importlib", "import_module"), ...call("sys", "exit"), ...op.build],
    says: "importlib.import_module, sys.exit",
  },
])("$name: a warning, and the weights are read", async ({ value, says }) => {
  rmSync(witness, { force: true });
  const bytes = pickled(op.mark, weights, op.text("x"), value, op.dict);
  const model = await readModel(memorySource(bytes, "net.pkl"));
  expect(Array.from(await model.tensors[0]!.read())).toEqual([1, 2]);
  const warning = model.warnings.find(({ code }) => code === "PICKLE_GLOBALS");
  expect(warning?.message).toContain(`: ${says};`);
  expect(existsSync(witness)).toBe(false);
});

test.each([
  "collections.OrderedDict",
  "torch._utils._rebuild_tensor_v2",
  "argparse.Namespace",
  "pathlib.PosixPath",
  "datetime.datetime",
  "builtins.set",
  "models.yolo.Detect",
  "numpy.core.multiarray.scalar",
])("%s is not worth a warning", async (path) => {
  const cut = path.lastIndexOf(".");
  const global = op.global(path.slice(0, cut), path.slice(cut + 1));
  const bytes = pickled(op.mark, weights, op.text("x"), global, op.dict);
  const { warnings } = await readModel(memorySource(bytes, "net.pkl"));
  expect(warnings.map(({ code }) => code)).not.toContain("PICKLE_GLOBALS");
});

/** `[[[w, w], [w, w]], …]` of 2^depth leaves. */
function doubled(depth: number): Uint8Array {
  const levels = Array.from({ length: depth }, (_, level) => [
    ...op.mark,
    ...op.get(level),
    ...op.get(level),
    ...op.list,
    ...op.memoize,
  ]);
  return pickled(op.emptyDict, weights, op.setItem, op.memoize, ...levels);
}

function nested(depth: number): Uint8Array {
  const inside = [...op.emptyDict, ...weights, ...op.setItem];
  const around = Array.from({ length: depth }, () => op.tuple1).flat();
  return pickled(inside, around);
}

test.each([
  { name: "2^60 names of one tensor", bytes: doubled(60), code: "FORMAT_LIMIT" },
  { name: "2^40 names of one tensor", bytes: doubled(40), code: "FORMAT_LIMIT" },
  { name: "weights 100,000 tuples deep", bytes: nested(100_000), code: "FORMAT_LIMIT" },
  {
    name: "an optimiser alone",
    bytes: pickled(op.emptyDict, op.text("param_groups"), op.none, op.setItem, weights, op.setItem),
    code: "FORMAT_UNSUPPORTED",
  },
  { name: "a call alone", bytes: pickled(call("os", "system")), code: "FORMAT_UNSUPPORTED" },
] as const)("$name", async ({ bytes, code }) => {
  const error: unknown = await readModel(memorySource(bytes, "x.pkl")).catch((e: unknown) => e);
  expect(isWeightGraphError(error, code), String(error)).toBe(true);
});

test("names that mean something to JavaScript are names", async () => {
  const own = (name: string): number[] => [
    ...op.text(name),
    ...numpyOps([1, 1], Float32Array.of(3)),
  ];
  const bytes = pickled(op.mark, own("__proto__"), own("constructor"), own("toString"), op.dict);
  const model = await readModel(memorySource(bytes, "x.pkl"));
  expect(model.tensors.map(({ name }) => name)).toEqual(["__proto__", "constructor", "toString"]);
});
