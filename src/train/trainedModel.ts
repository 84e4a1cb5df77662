/** A network with weights as a `Model`: what a reader makes of a file, made of what training holds in memory. */
import type { Model, StoredTensor, WeightLayer } from "../model/model.ts";
import { topologyBuilder, type NeuronIds } from "../model/topology.ts";
import { weightLayout, type AxisRole } from "../tensor/layout.ts";
import { elementCount, type Shape } from "../tensor/shape.ts";
import type { Network, NetworkLayer } from "./network.ts";
import type { NamedTensor } from "./trainer.ts";

/**
 * The model of `network` with `weights` (all of its parameters). Its topology is declared: layers follow one another, an image
 * layer has a neuron per channel, and behind a flatten the positions of a channel are taps. Where the first weights see a flat
 * image, each of its pixels is a neuron.
 */
export function trainedModel(
  name: string,
  { network, weights }: { readonly network: Network; readonly weights: readonly NamedTensor[] },
): Model {
  const roles = new Map(network.parameters.map((parameter) => [parameter.name, parameter.role]));
  const tensors = weights.map((tensor): StoredTensor => ({
    name: tensor.name,
    dtype: tensor.values instanceof Float32Array ? "float32" : "float64",
    shape: tensor.shape,
    role: roles.get(tensor.name) ?? "unknown",
    read: async () => tensor.values,
  }));
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const topology = topologyBuilder();
  const first = network.layers.find(({ plan }) => plan.parameters.length > 0);
  const [senders = 1] = first?.inputShape ?? network.architecture.inputShape;
  const layers: WeightLayer[] = [];
  let from: NeuronIds = topology.addLayer("input", senders, "input");
  for (const layer of network.layers) {
    const tensor = byName.get(`${layer.name}.weight`);
    if (tensor === undefined) continue;
    const [outputs = 1] = tensor.shape;
    const to = topology.addLayer(tensor.name, outputs, "hidden");
    const wired = wiredShape(layer, tensor.shape, from.length);
    const layout = layoutOf(tensor.shape);
    topology.connect({ layer: layers.length, from, to, layout: layoutOf(wired), recurrent: false });
    layers.push({
      name: tensor.name,
      op: layer.spec.layer,
      kind: tensor.shape.length === 2 ? "dense" : "conv",
      tensor,
      in: layout.inPerGroup,
      out: outputs,
      layout,
      sendersKnown: true,
    });
    from = to;
  }
  return {
    name,
    format: "weightgraph",
    producer: "weightgraph",
    tensors,
    layers,
    topology: topology.build("declared"),
    warnings: [],
    metadata: { architecture: network.architecture },
  };
}

/** [out, channels · positions] as [out, channels, positions] where a flatten lies before the layer, else as it is. */
function wiredShape({ inputShape }: NetworkLayer, shape: Shape, senders: number): Shape {
  const positions = elementCount(inputShape) / senders;
  return shape.length === 2 && positions > 1 ? [shape[0]!, senders, positions] : shape;
}

function layoutOf(shape: Shape): WeightLayer["layout"] {
  return weightLayout(
    shape,
    shape.map((_, axis): AxisRole => (["out", "in"] as const)[axis] ?? "tap"),
  );
}
