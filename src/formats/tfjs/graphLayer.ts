/** From a use of weights to a layer between the neurons it reads and those it puts out. */
import type { WeightLayer } from "../../model/model.ts";
import type { Activation, NeuronTracer } from "../../model/neuronTracer.ts";
import { splitAxis, weightLayout, type AxisRole, type WeightLayout } from "../../tensor/layout.ts";
import { partSizes } from "./graphParts.ts";
import type { Roles } from "./graphRoles.ts";
import { flowOf, type Flow } from "./graphValues.ts";
import type { WeightUse } from "./graphWeights.ts";
import type { GraphNode } from "./schema.ts";

/** Where a connection is noted. */
export interface Connections {
  readonly roles: Roles;
  readonly tracer: NeuronTracer;
  readonly layers: WeightLayer[];
  /** Weights before which no neurons could be followed. */
  readonly broken: string[];
  /** Weights that the graph computes with before it uses them. */
  readonly scaled: Set<string>;
}

/** Adds a layer; returns what it puts out. */
export function connectUse(node: GraphNode, use: WeightUse, walk: Connections): Flow {
  const { weight, factors, isComputed } = use;
  walk.roles.note([weight], "weight");
  walk.roles.note(factors, "normalisation");
  if (isComputed) walk.scaled.add(weight.tensor.name);
  const from = senders(use, walk);
  const layer = layerOf(node, use, from);
  const activation = walk.tracer.connect({ index: walk.layers.length, layer }, from);
  walk.layers.push(layer);
  return { ...flowOf(activation, use.backOut, use.rankOut), outer: use.outerOut ?? [] };
}

/**
 * What the operator reads. The neurons of an input have no place of their own before a first kernel reads them, and a single
 * neuron is the same one on every axis. Weights that read one factor of the neurons' axis alone see the others as places.
 */
function senders(use: WeightUse, { tracer, broken }: Connections): Activation {
  const { from, weight, kind, backIn, outerIn = [] } = use;
  if (kind === "embedding") return tracer.source(`words of ${weight.tensor.name}`, null);
  if (from?.kind === "flow") {
    const { ids, role } = from.activation.neurons;
    const reads = from.back === backIn || role === "input";
    const isWhole =
      from.outer.length === outerIn.length &&
      outerIn.every((back, i) => back === from.outer[i]!.back);
    if (reads && (isWhole || ids === null)) return from.activation;
    const inner = partSizes(from)?.at(-1);
    const shared = reads && inner !== undefined && outerIn.length === 0;
    const folded = shared ? tracer.unflatten(from.activation, inner) : null;
    if (folded !== null) return folded;
    if (ids?.length === 1) return { ...from.activation, flat: null };
  }
  broken.push(weight.tensor.name);
  return tracer.source(`before ${weight.tensor.name}`, null, "unknown");
}

function layerOf(
  node: GraphNode,
  { weight, kind, roles }: WeightUse,
  from: Activation,
): WeightLayer {
  const { tensor, view } = weight;
  const stored = tensor.shape.map((_, axis): AxisRole => {
    const at = view?.findIndex((own) => own.includes(axis)) ?? -1;
    return roles[at] ?? "tap";
  });
  const layout = grouped(kind, weightLayout(tensor.shape, stored), from);
  return {
    name: tensor.name,
    op: node.op,
    kind,
    tensor,
    in: layout.groups * layout.inPerGroup,
    out: layout.groups * layout.outPerGroup,
    layout,
    sendersKnown: kind === "depthwise" || layout.groups === 1,
  };
}

/** A kernel for fewer channels than there are is applied to groups of them. */
function grouped(kind: WeightUse["kind"], layout: WeightLayout, from: Activation): WeightLayout {
  const groups = (from.neurons.ids?.length ?? 0) / layout.inPerGroup;
  const isGrouped = kind === "conv" && groups > 1 && layout.outPerGroup % groups === 0;
  if (!isGrouped || from.flat !== null) return layout;
  const parts = [
    [groups, "group"],
    [layout.outPerGroup / groups, "out"],
  ] as const;
  return splitAxis(layout, layout.roles.indexOf("out"), parts);
}
