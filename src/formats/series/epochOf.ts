/** What the name of a checkpoint says: when it was written, and what was measured then. */
export interface CheckpointName {
  /** The moment in training, counted in `unit`. */
  readonly epoch: number;
  /** Null where the name holds a number and no word for it. */
  readonly unit: "epoch" | "step" | null;
  /** The step that is named beside an epoch. */
  readonly step: number | null;
  /** Named as in the file name; numbers that stand there without a name are `metric`, `metric_2`. */
  readonly metrics: Readonly<Record<string, number>>;
  /** The name without epoch, step, metrics, date and extension: equal for the checkpoints of one run. */
  readonly stem: string;
  /** A calendar day in the name, or "". */
  readonly day: string;
  /** True where a word (`epoch`, `step`, `checkpoint`) stands by the number, false where it merely ends or begins the name. */
  readonly isNamed: boolean;
}

/**
 * Reads `epoch_003.safetensors`, `ckpt_ep7.pt`, `epoch=3-val_loss=0.25.ckpt`, `checkpoint-1500`, `iter_20000.pth`, `net.12-0.58.hdf5`,
 * `10_net_G.pth`, `00012.npz`. Of several numbers, one called epoch wins, then one called step, then one called checkpoint, then
 * Keras' `.12-0.58`, then one that ends the name, then one that begins it. Dates, versions, seeds, folds and sizes are no epochs.
 * Null for a name without a number that could be one (`final.onnx`, `resnet20.pt`, `model_2024-01-05.pt`).
 */
export function epochOf(fileName: string): CheckpointName | null {
  const bare = fileName.replace(knownExtensions, "").replace(otherExtension, "");
  const day =
    dashedDate.exec(bare)?.[0].slice(0, 10) ?? compactDate.exec(bare)?.[0].slice(0, 8) ?? "";
  const undated = bare.replace(dashedDate, "@");
  for (const { pattern, unit, isNamed } of patterns) {
    const text = isNamed ? undated : undated.replace(compactDate, "@");
    const match = pattern.exec(text);
    const epoch = match === null ? null : numberOf(match);
    if (match === null || epoch === null) continue;
    if (!isNamed && epoch >= leastTimestamp) continue;
    const besides = besidesOf(text, match);
    return {
      ...besides,
      epoch,
      unit: isStepFolder.test(bare) ? "step" : unit,
      day,
      isNamed,
    };
  }
  return null;
}

interface NamePattern {
  readonly pattern: RegExp;
  readonly unit: CheckpointName["unit"];
  readonly isNamed: boolean;
}

const join = "[-_= .:#]{0,2}";
const stepWords = "(?:global[-_ ]?)?steps?|iterations?|iters?|itr|(?:num[-_ ]?)?updates?";
const metricWords =
  "loss|acc|accuracy|error|err|f1|auc|m?iou|map|bleu|wer|cer|ppl|mae|mse|rmse|psnr|ssim|fid";
/** What a number at the end of a name counts where it is no epoch. */
const otherWords =
  "v|ver|version|rev|seed|fold|cv|run|trial|exp|experiment|rep|replica|part|shard|rank|gpu|worker|node|split|group|" +
  `layer|block|head|size|dim|width|batch|bs|lr|top|${metricWords}`;

const stepPattern = new RegExp(
  `(?<![a-z])(?:${stepWords})${join}(?<n>\\d+)(?<k>k(?![a-z]))?(?!\\d|\\.\\d)`,
  "i",
);

const named = (pattern: RegExp, unit: CheckpointName["unit"]): NamePattern => ({
  pattern,
  unit,
  isNamed: true,
});
const unnamed = (pattern: RegExp, unit: CheckpointName["unit"]): NamePattern => ({
  pattern,
  unit,
  isNamed: false,
});

const patterns: readonly NamePattern[] = [
  named(
    /(?<![a-z])(?:epochs?|ep)[-_= .:#]{0,2}(?<n>\d+)(?!\d|\.\d)(?:-(?<metric>\d+\.\d+)$)?/i,
    "epoch",
  ),
  named(/(?<=[a-z])Epoch[-_=]?(?<n>\d+)(?!\d)/, "epoch"),
  named(/(?:^|(?<=[-_. ]))(?<n>\d+)(?:st|nd|rd|th)?[-_ ]?(?:epochs?|ep)(?![a-z\d])/i, "epoch"),
  named(/^checkpoint_(?<n>\d+)_(?<step>\d+)$/, "epoch"),
  named(stepPattern, "step"),
  named(
    new RegExp(`(?:^|(?<=[-_. ]))(?<n>\\d+)(?<k>k)?[-_ ]?(?:${stepWords})(?![a-z\\d])`, "i"),
    "step",
  ),
  named(/(?<![a-z])(?:checkpoints?|ckpts?|chkpt|snapshots?)[-_= .:#]{0,2}(?<n>\d+)(?!\d)/i, null),
  unnamed(/(?<=[-_.])e(?<n>\d+)(?=$|[-_.])/i, "epoch"),
  unnamed(
    /(?<=[-_.])(?<n>\d+)[-_](?<metric>\d+\.\d+|nan|inf)(?:[-_](?<second>\d+\.\d+|nan|inf))?$/,
    "epoch",
  ),
  unnamed(
    new RegExp(
      `(?:^|(?<=[-_. ]))(?<!\\d[.])(?<!(?:^|[-_. ])(?:\\w+_)?(?:${otherWords})[-_. =])(?<n>\\d+)$`,
      "i",
    ),
    null,
  ),
  unnamed(/^(?<n>\d+)(?=[-_. ][a-z])/i, null),
];

/** A trainer of Hugging Face calls its folders so, and TensorFlow 1 its files. */
const isStepFolder = /^(?:checkpoint|.+\.ckpt)-\d+$/;

/** Seconds since 1970 begin to look like this. */
const leastTimestamp = 1e9;

const dashedDate =
  /(?<!\d)(?:19|20)\d\d([-_.])(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])(?!\d)(?:[-_T ](?:[01]\d|2[0-3])[-_:.h]?[0-5]\d(?:[-_:.m]?[0-5]\d)?s?(?!\d))?/;
const compactDate =
  /(?<!\d)(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[-_T](?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?)?(?!\d)/;

const knownExtensions =
  /(?:\.(?:weights|pth|pt|tar|ckpt|h5|hdf5|keras|npz|npy|onnx|safetensors|bin|index|json|data(?:-\d+-of-\d+)?|pickle|pkl|model|gguf|params|state|msgpack|pb|tflite|zip|gz|meta))+$/i;
/** An ending that begins with a letter, so that `.58` stays. */
const otherExtension = /\.[a-z][a-z\d]*$/i;

/** `val_loss=0.25`, `acc:0.9`; with a decimal point also `val_loss-0.25`, `val_loss_0.25`, and of words that are metrics `loss0.2`. */
const namedMetric = new RegExp(
  "(?<![a-z\\d])(?<name>[a-z][a-z_]*[a-z]\\d*)(?:[=:](?<value>-?(?:\\d+(?:\\.\\d+)?(?:e[-+]?\\d+)?|nan|inf))|" +
    `[-_](?<decimal>\\d+\\.\\d+)|(?<=(?:${metricWords}))(?<glued>\\d+\\.\\d+))(?!\\d)`,
  "gi",
);

function numberOf({ groups }: RegExpExecArray): number | null {
  const number = Number(groups?.["n"]) * (groups?.["k"] === undefined ? 1 : 1000);
  return Number.isSafeInteger(number) ? number : null;
}

/** What else the name says, once its epoch is found. */
function besidesOf(
  text: string,
  match: RegExpExecArray,
): Pick<CheckpointName, "step" | "metrics" | "stem"> {
  const { metric, second, step: grouped } = match.groups ?? {};
  let rest = text.slice(0, match.index) + "*" + text.slice(match.index + match[0].length);
  const stepMatch = stepPattern.exec(rest);
  const step = grouped === undefined ? stepMatch && numberOf(stepMatch) : Number(grouped);
  if (stepMatch !== null) rest = rest.replace(stepMatch[0], "^");
  const metrics = new Map<string, number>();
  for (const { groups } of rest.matchAll(namedMetric)) {
    const { name = "", value, decimal, glued } = groups ?? {};
    metrics.set(name.replace(/^[-_]+/, ""), metricNumber(value ?? decimal ?? glued ?? ""));
  }
  if (metric !== undefined) metrics.set("metric", metricNumber(metric));
  if (second !== undefined) metrics.set("metric_2", metricNumber(second));
  const stem = rest.replace(namedMetric, "#").replace(compactDate, "@");
  return { step, metrics: Object.fromEntries(metrics), stem };
}

function metricNumber(text: string): number {
  return Number(text.replace(/inf/i, "Infinity").replace(/nan/i, "NaN"));
}
