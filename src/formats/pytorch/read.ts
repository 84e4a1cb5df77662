import type { ByteSource } from "../../bytes/source.ts";
import { FormatError } from "../../errors.ts";
import type { Model, ModelWarning } from "../../model/model.ts";
import { isComplex } from "../../tensor/dtype.ts";
import { attentionHintsBeside } from "../attentionConfig.ts";
import { stateDictModel, type TensorHint } from "../stateDict.ts";
import type { ChosenWeights } from "./chooseWeights.ts";
import { moduleHint, quantiserHints } from "./moduleHints.ts";
import { openWeights, type WeightFile } from "./openWeights.ts";
import { sequentialTopology } from "./sequentialTopology.ts";
import { checkRepetition, tiesOf } from "./sharedStorages.ts";
import { storedTensor, type Tensor } from "./storedTensor.ts";
import { globalsWarnings, namedBriefly, suspectGlobals } from "./suspectGlobals.ts";

/**
 * Reads what torch.save or torch.jit.save wrote, or a pickle of NumPy arrays: a state dict under any key, or whole modules. The
 * pickle is read as data: no class in it is ever imported, no function called.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_TRUNCATED`, `FORMAT_LIMIT`, `FORMAT_UNSUPPORTED` for a file without weights
 */
export async function readPytorch(source: ByteSource): Promise<Model> {
  const { files, warnings } = await openWeights(source);
  const tensors: Tensor[] = [];
  for (const own of files) tensors.push(...(await tensorsOf(own)));
  const named = files.flatMap(({ chosen }) => chosen.tensors);
  const globals = new Set(files.flatMap(({ file }) => [...file.globals]));
  if (named.length === 0) throw noWeights(source, globals);
  const model = stateDictModel({
    name: source.name,
    format: "pytorch",
    tensors,
    metadata: { layout: files[0]!.file.layout },
    hints: hintsOf(named),
    attention: await attentionHintsBeside(source),
  });
  const placed = placedModel(
    model,
    files.flatMap(({ chosen }) => chosen.modules),
  );
  const own = files.flatMap(({ chosen }) => chosen.warnings);
  return {
    ...placed,
    warnings: [
      ...warnings,
      ...own,
      ...globalsWarnings(globals),
      ...unreadWarnings(named),
      ...placed.warnings,
    ],
  };
}

async function tensorsOf({ name: sibling, source, file, chosen }: WeightFile): Promise<Tensor[]> {
  checkRepetition(chosen.tensors, file.storages, [source.name]);
  const ties = tiesOf(chosen.tensors);
  const tensors: Tensor[] = [];
  for (const [index, { name, record }] of chosen.tensors.entries()) {
    const tensor = await storedTensor(name, record, file, [source.name, name]);
    const sharesWith = ties[index];
    const { location } = tensor;
    tensors.push({
      ...tensor,
      ...(location && { location: { ...location, file: sibling } }),
      ...(sharesWith !== undefined && { sharesWith }),
    });
  }
  return tensors;
}

function hintsOf(tensors: ChosenWeights["tensors"]): ReadonlyMap<string, TensorHint> {
  const hints = new Map(quantiserHints(tensors.map(({ name }) => name)));
  for (const tensor of tensors) {
    const hint = moduleHint(tensor);
    if (hint !== null) hints.set(tensor.name, hint);
  }
  return hints;
}

/** With the topology that the modules themselves say, where they do. */
function placedModel(model: Model, modules: ChosenWeights["modules"]): Model {
  const order = new Map(model.tensors.map(({ name }, index) => [name, index]));
  const layers = [...model.layers].sort((a, b) => order.get(a.name)! - order.get(b.name)!);
  const topology = sequentialTopology(modules, layers);
  if (topology === null) return model;
  const warnings = model.warnings.filter(({ code }) => code !== "TOPOLOGY_INFERRED");
  return { ...model, layers, topology, warnings };
}

/** Tensors that are listed, with values that are no numbers or not in the file. */
function unreadWarnings(tensors: ChosenWeights["tensors"]): ModelWarning[] {
  const names = tensors.flatMap(({ name, record }) => {
    if (record.data.kind === "none") return [`${name} (no values in the file)`];
    return isComplex(record.dtype) ? [`${name} (${record.dtype})`] : [];
  });
  if (names.length === 0) return [];
  const message = `tensors whose values are not read: ${namedBriefly(names)}`;
  return [{ code: "TENSOR_UNREADABLE", message }];
}

function noWeights(source: ByteSource, globals: ReadonlySet<string>): FormatError {
  const suspects = suspectGlobals(globals);
  const named = suspects.length === 0 ? "" : `; it names ${namedBriefly(suspects)}`;
  return new FormatError("FORMAT_UNSUPPORTED", `the pickle holds no weights${named}`, {
    path: [source.name],
    hint:
      suspects.length === 0
        ? "Save weights alone: torch.save(model.state_dict(), path), or use safetensors."
        : "Nothing of it was run. Do not give this file to torch.load.",
  });
}
