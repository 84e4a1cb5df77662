/** The transforms of edge weights by name: what each does, and how it is written (`threshold=0.1`). */
import { UsageError } from "../errors.ts";
import { keepSignificant } from "./disparity.ts";
import { keepStrongest, keepStrongestPerNode } from "./strongestEdges.ts";
import { dropBelow, scaleByNorm, squareWeights, takePart } from "./transformWeights.ts";
import type { EdgeTable } from "./edgeTable.ts";
import type { GraphTransform, LayerNorm } from "./weighting.ts";

interface TransformEntry {
  readonly description: string;
  /** What follows the equals sign; null where nothing does. */
  readonly value: ValueDomain | null;
  /** Changes the weights of `edges` in place, or puts another array there. */
  readonly run: (edges: EdgeTable, value: string) => void;
}

interface ValueDomain {
  readonly placeholder: string;
  /** In words, for messages. */
  readonly wants: string;
  readonly holds: (value: string) => boolean;
  /** Taken where no value is written. */
  readonly default?: string;
}

const count: ValueDomain = {
  placeholder: "N",
  wants: "a whole number >= 1",
  holds: (value) => Number.isSafeInteger(Number(value)) && Number(value) >= 1,
};
const magnitude: ValueDomain = {
  placeholder: "X",
  wants: "a number >= 0",
  holds: (value) => Number.isFinite(Number(value)) && Number(value) >= 0,
};
const level: ValueDomain = {
  placeholder: "ALPHA",
  wants: "a number over 0, 1 at most",
  holds: (value) => Number(value) > 0 && Number(value) <= 1,
};
const norm: ValueDomain = {
  placeholder: "NORM",
  wants: "l2, l1 or max",
  holds: (value) => ["l2", "l1", "max"].includes(value),
  default: "l2",
};

/** In the order of the documentation. */
export const graphTransforms: Readonly<Record<string, TransformEntry>> = {
  absolute: {
    description: "Magnitudes: |w|.",
    value: null,
    run: (edges) => takePart(edges, Math.abs),
  },
  square: {
    description: "Squares: w²; signs are gone.",
    value: null,
    run: squareWeights,
  },
  positive: {
    description: "Positive weights; negative ones become 0.",
    value: null,
    run: (edges) => takePart(edges, (weight) => (weight > 0 ? weight : 0)),
  },
  negative: {
    description: "Magnitudes of negative weights; positive ones become 0.",
    value: null,
    run: (edges) => takePart(edges, (weight) => (weight < 0 ? -weight : 0)),
  },
  layerNorm: {
    description:
      "Divided by the norm of the block's edge weights: l2 (Frobenius), l1 (sum of magnitudes) or max.",
    value: norm,
    run: (edges, value) => scaleByNorm(edges, value as LayerNorm),
  },
  threshold: {
    description: "Weights of a magnitude below X become 0.",
    value: magnitude,
    run: (edges, value) => dropBelow(edges, Number(value)),
  },
  top: {
    description: "The N strongest edges of each block.",
    value: count,
    run: (edges, value) => keepStrongest(edges, Number(value)),
  },
  topPerNode: {
    description:
      "Edges that are among the N strongest into their receiver or the N strongest out of their sender.",
    value: count,
    run: (edges, value) => keepStrongestPerNode(edges, Number(value), ["receiver", "sender"]),
  },
  topPerReceiver: {
    description: "The N strongest edges into each neuron.",
    value: count,
    run: (edges, value) => keepStrongestPerNode(edges, Number(value), ["receiver"]),
  },
  topPerSender: {
    description: "The N strongest edges out of each neuron.",
    value: count,
    run: (edges, value) => keepStrongestPerNode(edges, Number(value), ["sender"]),
  },
  disparity: {
    description:
      "The disparity backbone: edges whose share of the strength into their receiver, or out of their sender, is significant at level ALPHA.",
    value: level,
    run: (edges, value) => keepSignificant(edges, Number(value)),
  },
};

export interface ParsedTransform {
  /** As it is recorded: `layerNorm` is `layerNorm=l2`, `threshold=1e-1` is `threshold=0.1`. */
  readonly text: GraphTransform;
  readonly run: (edges: EdgeTable) => void;
}

/** @throws {UsageError} `USAGE_INVALID_OPTION` for an unknown name, a missing value or one that the transform does not take */
export function parseTransform(text: string): ParsedTransform {
  const [name = "", given, ...more] = text.split("=").map((part) => part.trim());
  const entry = Object.hasOwn(graphTransforms, name) ? graphTransforms[name] : undefined;
  if (entry === undefined) {
    throw refusal(text, `no transform is named ${JSON.stringify(name)}`);
  }
  const { value: domain, run } = entry;
  if (domain === null) {
    if (given !== undefined) throw refusal(text, `${name} takes no value`);
    return { text: name as GraphTransform, run: (edges) => run(edges, "") };
  }
  const value = given ?? domain.default ?? "";
  if (value === "" || more.length > 0 || !domain.holds(value)) {
    throw refusal(text, `${name} must be ${domain.wants}, not ${JSON.stringify(value)}`);
  }
  const canonical = domain === norm ? value : String(Number(value));
  const written = `${name}=${canonical}` as GraphTransform;
  return { text: written, run: (edges) => run(edges, canonical) };
}

function refusal(text: string, message: string): UsageError {
  const known = Object.entries(graphTransforms)
    .map(([name, { value }]) => (value === null ? name : `${name}=${value.placeholder}`))
    .join(", ");
  return new UsageError("USAGE_INVALID_OPTION", message, {
    path: ["transforms", text],
    hint: `Transforms: ${known}.`,
  });
}
