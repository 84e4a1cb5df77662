import { FormatError } from "../../errors.ts";
import {
  topologyBuilder,
  type NeuronIds,
  type Topology,
  type TopologyBuilder,
  type Wire,
} from "../../model/topology.ts";
import type { Placement, Plan, Signal } from "./signal.ts";

/** More neurons than this are not numbered: 32 bytes each, in the builder and in the wires. */
const neuronLimit = 2 ** 25;

/**
 * The neurons and wires of a plan; `layerOf` gives a weight's index in the model's layers.
 * @throws {FormatError} `FORMAT_LIMIT` for more neurons than can be numbered
 */
export function layPlan(plan: Plan, layerOf: (index: number) => number): Topology {
  checkSize(plan);
  const builder = topologyBuilder();
  const outputs = new Map<Placement, NeuronIds>();
  const idsOf = neuronsOf(builder, outputs);
  const wires = plan.placements.flatMap((placement): Wire[] => {
    const { weight, layout, basis, size, past } = placement;
    const from = idsOf(placement.from);
    const to = builder.addLayer(weight.layer.name, size, "hidden");
    outputs.set(placement, to);
    const wire = { layer: layerOf(weight.index), from, to, layout, recurrent: false, basis };
    if (past === null) return [wire];
    const layer = layerOf(past.weight.index);
    return [wire, { layer, from: to, to, layout: past.layout, recurrent: true, basis }];
  });
  for (const sum of plan.sums) idsOf(sum);
  for (const wire of wires) builder.connect(wire);
  for (const { role, of, size } of plan.attention) {
    const ids = idsOf(of);
    builder.attend({ role, heads: ids.length / size, ids });
  }
  return builder.build("inferred");
}

function checkSize({ placements }: Plan): void {
  let neurons = 0;
  const sources = new Set<Signal>();
  for (const { from, size } of placements) {
    neurons += size;
    if (from.origin.kind === "source" && !sources.has(from)) neurons += from.size ?? 0;
    sources.add(from);
  }
  if (neurons <= neuronLimit) return;
  throw new FormatError("FORMAT_LIMIT", `${neurons} neurons; ${neuronLimit} can be numbered`, {
    hint: "`layers` lists the weights of a file of any size.",
  });
}

function neuronsOf(
  builder: TopologyBuilder,
  outputs: ReadonlyMap<Placement, NeuronIds>,
): (signal: Signal) => NeuronIds {
  const known = new Map<Signal, NeuronIds>();
  const idsOf = (signal: Signal): NeuronIds => {
    const before = known.get(signal);
    if (before !== undefined) return before;
    const ids = laid(signal);
    known.set(signal, ids);
    return ids;
  };
  const laid = ({ size, origin }: Signal): NeuronIds => {
    switch (origin.kind) {
      case "source":
        return builder.addLayer(origin.name, size ?? 0, origin.role);
      case "weight":
        return outputs.get(origin.placement)!;
      case "concat":
        return joined(origin.parts.map(idsOf));
      case "sum": {
        const [first, ...others] = origin.parts.map(idsOf);
        for (const other of others) builder.merge(first!, other);
        return first!;
      }
      case "pick": {
        const ids = idsOf(origin.of);
        return origin.at.map((at) => ids[at]!);
      }
    }
  };
  return idsOf;
}

function joined(parts: readonly NeuronIds[]): NeuronIds {
  const ids = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    ids.set(part, at);
    at += part.length;
  }
  return ids;
}
