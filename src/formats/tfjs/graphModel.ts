import type { ModelWarning, StoredTensor, TensorRole } from "../../model/model.ts";
import { neuronTracer } from "../../model/neuronTracer.ts";
import type { Topology, Wire } from "../../model/topology.ts";
import { decodeTensor } from "../../tensor/decode.ts";
import { splitAxis } from "../../tensor/layout.ts";
import { elementCount } from "../../tensor/shape.ts";
import { traceWarnings } from "../traceWarnings.ts";
import { rescaledNodes, roleNotes } from "./graphRoles.ts";
import type { Constant } from "./graphValues.ts";
import { walkGraph } from "./graphWalk.ts";
import type { ReadTopology } from "./layersModel.ts";
import { checkGraph } from "./schema.ts";
import { runBytes } from "./shards.ts";
import type { Manifest, ManifestTensor } from "./weights.ts";

/** Lists of integers up to this length are read while walking: shapes, permutations, axes. */
const maxNumbers = 64;

/**
 * A graph-model: walks the nodes of a TensorFlow graph in a stable topological order (an operand before its reader, else as in
 * the file), the functions of its library where they are called. Constants are weights when an operator of `graphWeights.ts`
 * reads them, directly or through transpositions and reshapes. Reads the short integer tensors, since they say where axes go.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_LIMIT` for functions that call each other without end
 */
export async function readGraphModel(
  manifest: Manifest,
  modelTopology: unknown,
  path: readonly (string | number)[],
): Promise<ReadTopology> {
  const { tensors, integers } = manifest;
  const graph = checkGraph(modelTopology, path);
  const constants = await readConstants(manifest);
  const isConstant = (name: string): boolean => constants.has(name);
  const bodies = [graph.nodes, ...[...graph.functions.values()].map(({ nodes }) => nodes)];
  const rescaled = new Set(bodies.flatMap((nodes) => [...rescaledNodes(nodes, isConstant)]));
  const roles = roleNotes(integers, rescaled);
  const tracer = neuronTracer();
  const walk = walkGraph(graph, { constants, roles, tracer });
  const topology = tidyWires(tracer.finish("declared"), walk.loopLayers);
  const unknown = new Set(
    [...walk.unknown].map(([op, n]) => (n === 1 ? op : `${op} (${n} nodes)`)),
  );
  return {
    tensors: tensors.map((tensor) => ({
      ...tensor,
      role: roles.byName.get(tensor.name) ?? roleOf(tensor, integers),
    })),
    layers: walk.layers,
    topology,
    warnings: [
      ...traceWarnings(unknown, [...walk.broken, ...tracer.breaks]),
      ...valueWarnings(walk.scaled, roles.folded),
    ],
  };
}

/**
 * Weights that a loop uses on what it put out a round before join a layer to itself. Rows of one neuron, the gates of a unit or
 * the halves of a gated sum, are taps.
 */
function tidyWires(topology: Topology, loopLayers: ReadonlySet<number>): Topology {
  return {
    ...topology,
    wires: topology.wires.map((wire) => {
      const own = new Set(wire.to);
      const isInside = wire.from.length > 0 && wire.from.every((id) => own.has(id));
      const recurrent = wire.recurrent || (loopLayers.has(wire.layer) && isInside);
      return { ...withGatesAsTaps(wire, own.size), recurrent };
    }),
  };
}

function withGatesAsTaps(wire: Wire, units: number): Wire {
  const { to, layout } = wire;
  const isRepeated = units > 0 && units < to.length && to.every((id, i) => id === to[i % units]);
  const axis = layout.roles.indexOf("out");
  const isPlain = layout.groups === 1 && axis === layout.roles.lastIndexOf("out");
  if (!isRepeated || !isPlain || axis === -1) return wire;
  const gates = [
    [to.length / units, "tap"],
    [units, "out"],
  ] as const;
  return { ...wire, to: to.slice(0, units), layout: splitAxis(layout, axis, gates) };
}

/** What the numbers of some weights are not: those of the operator as it runs, those that were trained. */
function valueWarnings(scaled: ReadonlySet<string>, folded: readonly string[]): ModelWarning[] {
  const listed = (names: readonly string[]): string =>
    names.slice(0, 8).join(", ") + (names.length > 8 ? ", …" : "");
  const warnings: ModelWarning[] = [];
  if (scaled.size > 0) {
    const message = `the graph computes with these weights before it uses them, their values are those stored: ${listed([...scaled])}`;
    warnings.push({ code: "WEIGHTS_COMPUTED", message });
  }
  if (folded.length > 0) {
    const message = `the converter multiplied the scale of a normalisation into ${folded.length} kernels: ${listed(folded)}`;
    warnings.push({ code: "NORMALISATION_FOLDED", message });
  }
  return warnings;
}

/** Short lists of integers are read window by window, since there are many and they lie close. */
async function readConstants({ tensors, places }: Manifest): Promise<Map<string, Constant>> {
  const constants = new Map<string, Constant>();
  const read = windowReader();
  for (const tensor of tensors) {
    const count = elementCount(tensor.shape);
    const place = places.get(tensor.name);
    const isList = tensor.dtype === "int32" && count <= maxNumbers && place !== undefined;
    const numbers = isList ? decodeTensor(await read(place, count * 4), "int32", count) : null;
    constants.set(tensor.name, {
      kind: "constant",
      tensor: { ...tensor, role: "unknown" } satisfies StoredTensor,
      view: tensor.shape.map((_, axis) => [axis]),
      numbers: numbers && Array.from(numbers),
    });
  }
  return constants;
}

const windowLength = 2 ** 16;

type Place = NonNullable<ReturnType<Manifest["places"]["get"]>>;

function windowReader(): (place: Place, byteLength: number) => Promise<Uint8Array> {
  let run: Place["run"] | null = null;
  let first = 0;
  let window: Uint8Array = new Uint8Array(0);
  return async (place, byteLength) => {
    const { offset } = place;
    const isInside = offset >= first && offset + byteLength <= first + window.byteLength;
    if (run !== place.run || !isInside) {
      run = place.run;
      first = offset;
      window = await runBytes(run, first, Math.min(first + windowLength, run.byteLength));
    }
    return window.slice(offset - first, offset - first + byteLength);
  };
}

/** What no operator uses as weights: complex numbers are not understood, whole ones are no parameters. */
function roleOf(tensor: ManifestTensor, integers: ReadonlySet<string>): TensorRole {
  if (integers.has(tensor.name)) return "constant";
  return elementCount(tensor.shape) > 1 ? "unknown" : "constant";
}
