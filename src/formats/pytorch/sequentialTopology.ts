/** Topology of whole modules that say it: nothing but `nn.Sequential` around parts whose meaning is known. */
import type { WeightLayer } from "../../model/model.ts";
import { neuronTracer, type Activation } from "../../model/neuronTracer.ts";
import type { Topology } from "../../model/topology.ts";
import { className, isNormalisation } from "./moduleHints.ts";
import type { ModuleInfo } from "./moduleTree.ts";

/** A neuron for each channel goes in and comes out. */
const passing =
  /^(Identity|Dropout[123]?d?|AlphaDropout|FeatureAlphaDropout|.*(Pool|Pad)[123]d|Upsample|UpsamplingNearest2d|UpsamplingBilinear2d|ReLU6?|LeakyReLU|PReLU|RReLU|CELU|E?LU|SELU|GELU|SiLU|Mish|Sigmoid|LogSigmoid|Tanh|Hardtanh|Hardsigmoid|Hardswish|Softplus|Softsign|Softmax|Softmin|LogSoftmax|Softmax2d|Tanhshrink|Softshrink|Hardshrink|Threshold)$/;

/**
 * The layers in order with the neurons that they connect; null unless every module is understood and every layer fits the one
 * before. `layers` are those of the model, in the order of its tensors.
 */
export function sequentialTopology(
  modules: readonly ModuleInfo[],
  layers: readonly WeightLayer[],
): Topology | null {
  const [root] = modules;
  if (root === undefined || root.isScript || modules.some((own) => !isUnderstood(own))) return null;
  const byOwner = groupByOwner(layers);
  const tracer = neuronTracer();
  let current: Activation = tracer.source("input", null);
  let isMap = false;
  let placed = 0;
  for (const own of modules) {
    const type = className(own);
    if (type === "Flatten") {
      current = tracer.flatten(current, "channels first");
      isMap = false;
    }
    for (const index of byOwner.get(own.name) ?? []) {
      const layer = layers[index]!;
      const isConvolution = /Conv/.test(type);
      // A linear layer on a map works along its last axis, which is none of channels.
      if (isMap && !isConvolution) return null;
      if (isConvolution && !isMap && placed > 0) return null;
      current = tracer.connect({ index, layer }, current);
      isMap = isConvolution;
      placed++;
    }
  }
  const isWhole = placed === layers.length && placed > 0 && tracer.breaks.length === 0;
  return isWhole ? tracer.finish("declared") : null;
}

function isUnderstood(own: ModuleInfo): boolean {
  const type = className(own);
  if (!own.className.startsWith("torch.nn.")) return false;
  if (type === "Sequential") return true;
  if (own.children.length > 0) return false;
  if (type === "Flatten") return own.attributes.get("start_dim") === 1;
  return (
    /^(Conv[123]d|ConvTranspose[123]d|Linear)$/.test(type) ||
    isNormalisation(own) ||
    passing.test(type)
  );
}

function groupByOwner(layers: readonly WeightLayer[]): ReadonlyMap<string, readonly number[]> {
  const byOwner = new Map<string, number[]>();
  layers.forEach(({ name }, index) => {
    const owner = name.slice(0, Math.max(0, name.lastIndexOf(".")));
    byOwner.set(owner, [...(byOwner.get(owner) ?? []), index]);
  });
  return byOwner;
}
