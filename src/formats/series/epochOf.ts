/** What the name of a checkpoint says: when it was written, and what was measured then. */
export interface CheckpointName {
  readonly epoch: number;
  /** Named as in the file name; a number that stands there without one is `metric`. */
  readonly metrics: Readonly<Record<string, number>>;
  /** The name without epoch, metrics and extension: equal for the checkpoints of one run. */
  readonly stem: string;
}

/**
 * Reads `epoch_003.safetensors`, `ckpt_ep7.pt`, `epoch=3-val_loss=0.25.ckpt`, `checkpoint-1500`, `net.12-0.58.hdf5`, `net-7.npz`.
 * Of several numbers, one called epoch wins, then one called step, then Keras' `.12-0.58`, then one that ends the name.
 * Null for a name without a number that could be one (`final.onnx`, `resnet20.pt`).
 */
export function epochOf(fileName: string): CheckpointName | null {
  const bare = withoutExtension(fileName);
  for (const pattern of patterns) {
    const match = pattern.exec(bare);
    const epoch = Number(match?.groups?.["epoch"]);
    if (match === null || !Number.isSafeInteger(epoch)) continue;
    const rest = bare.slice(0, match.index) + "*" + bare.slice(match.index + match[0].length);
    const { metrics, stem } = takeMetrics(rest);
    const plain = match.groups?.["metric"];
    return {
      epoch,
      metrics: plain === undefined ? metrics : { ...metrics, metric: Number(plain) },
      stem,
    };
  }
  return null;
}

const patterns: readonly RegExp[] = [
  /(?<![a-z])(?:epoch|ep)[-_= .]?(?<epoch>\d+)(?!\d)(?:-(?<metric>\d+\.\d+)$)?/i,
  /(?<![a-z])(?:global_?step|step|iteration|iter|checkpoint|ckpt|snapshot)[-_= .]?(?<epoch>\d+)(?!\d)/i,
  /(?<=[-_.])(?<epoch>\d+)-(?<metric>\d+\.\d+)$/,
  /(?:^|(?<=[-_. ]))(?<epoch>\d+)$/,
];

/** `val_loss=0.25`, `acc:0.9`, and with a decimal point also `val_loss-0.25`, `val_loss_0.25`. */
const namedMetric =
  /(?<![a-z\d])(?<name>[a-z][a-z_]*[a-z]\d*)(?:[=:](?<value>-?\d+(?:\.\d+)?(?:e-?\d+)?)|[-_](?<decimal>\d+\.\d+))(?!\d)/gi;

function takeMetrics(text: string): { metrics: Record<string, number>; stem: string } {
  const metrics: [string, number][] = [];
  for (const { groups } of text.matchAll(namedMetric)) {
    const { name = "", value, decimal } = groups ?? {};
    metrics.push([name.replace(/^[-_]+/, ""), Number(value ?? decimal)]);
  }
  return { metrics: Object.fromEntries(metrics), stem: text.replace(namedMetric, "#") };
}

/** `.hdf5`, `.weights.h5`: endings that begin with a letter, so that `.58` stays. */
function withoutExtension(fileName: string): string {
  return fileName.replace(/(?:\.weights)?\.[a-z][a-z\d]*$/i, "");
}
