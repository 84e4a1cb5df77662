/**
 * Node strength on an unrolled graph, from kernels and geometry alone: no edge is laid out.
 *
 * A node's strength adds, over the taps that reach its position, the tap's sum over channels. Which taps reach a position is the
 * same for all but the border, so positions are taken in classes. Signs, directions and coverage are those of `nodeStrength`;
 * with `absolute` and `both` it is the weighted degree. Domain: finite weights.
 * Cost: O(weights), O(classes · taps · channels) and O(nodes).
 * Golden: docs/measures/unrolled.md, by hand; every edge added up one by one in the tests.
 */
import { GraphError } from "../errors.ts";
import { tapClasses, type AxisWindow } from "../graph/axisWindow.ts";
import type { UnrolledGraph } from "../graph/unrolledGraph.ts";
import { combinations, unrolledPatches } from "../graph/unrolledPatches.ts";
import type { UnrolledLink } from "../graph/unrolledPlan.ts";
import { partOf, type NodeStrengthOptions } from "./nodeStrength.ts";
import { checkRange, type NodeValues } from "./nodeValues.ts";
import { requireOneOf } from "./options.ts";

/** @throws {UsageError} `USAGE_INVALID_OPTION` {GraphError} `GRAPH_NO_EDGES` {AnalysisError} `ANALYSIS_UNDEFINED` */
export function unrolledStrength(
  graph: UnrolledGraph,
  { sign = "signed", direction = "both" }: NodeStrengthOptions = {},
): NodeValues {
  requireOneOf("sign", sign, Object.keys(partOf));
  requireOneOf("direction", direction, ["in", "out", "both"]);
  if (graph.edgeCount === 0) {
    throw new GraphError("GRAPH_NO_EDGES", "no edge, so no node has a strength", {
      path: [graph.name],
    });
  }
  const values = new Float64Array(graph.nodeCount);
  const covered = new Uint8Array(graph.nodeCount);
  const add = (node: number, amount: number): void => {
    covered[node] = 1;
    values[node]! += amount;
  };
  const own = partOf[sign];
  graph.links.forEach((link, i) => {
    const kernel = graph.kernels[i]!;
    if ("pooling" in link.weights) addPooling(link, kernel, { own, direction, add });
    else {
      const sums = tapSums(link, kernel, own);
      spread(link, {
        side: "output",
        firsts: link.rows,
        sums: sums.rows,
        isOff: direction === "out",
        add,
      });
      spread(link, {
        side: "input",
        firsts: link.columns,
        sums: sums.columns,
        isOff: direction === "in",
        add,
      });
    }
  });
  return { values: checkRange(values, "strength"), covered };
}

type Kernel = UnrolledGraph["kernels"][number];
type Add = (node: number, amount: number) => void;
type Part = (typeof partOf)[keyof typeof partOf];

/** Sums of each tap over the edges of every row and of every column: [rows, taps] and [columns, taps]. */
function tapSums(
  { rows, columns, groups, axes }: UnrolledLink,
  kernel: Kernel,
  { own, magnitude }: Part,
): { readonly rows: Float64Array; readonly columns: Float64Array } {
  const taps = axes.reduce((count, { kernel: size }) => count * size, 1);
  const sums = {
    rows: new Float64Array(rows.length * taps),
    columns: new Float64Array(columns.length * taps),
  };
  const width = columns.length / groups;
  let at = 0;
  for (let row = 0; row < rows.length; row++) {
    const first = Math.floor((row * groups) / rows.length) * width;
    for (let column = first; column < first + width; column++) {
      for (let tap = 0; tap < taps; tap++, at++) {
        const part = own * kernel[at]! + magnitude * Math.abs(kernel[at]!);
        sums.rows[row * taps + tap]! += part;
        sums.columns[column * taps + tap]! += part;
      }
    }
  }
  return sums;
}

interface Spreading {
  readonly side: "input" | "output";
  readonly firsts: Float64Array;
  /** [channels, taps] */
  readonly sums: Float64Array;
  /** True where the nodes are only covered. */
  readonly isOff: boolean;
  readonly add: Add;
}

/** Adds to every position of each channel the sums of the taps that reach it. */
function spread({ axes }: UnrolledLink, { side, firsts, sums, isOff, add }: Spreading): void {
  const classes = axes.map((axis) => tapClasses(axis, side));
  const taps = sums.length / firsts.length;
  const sets = combinations(classes.map(({ taps: known }) => Array.from(known.keys()))).map((own) =>
    combinations(own.map((one, i) => classes[i]!.taps[one]!)).map((tap) => flat(axes, tap)),
  );
  const keys = positionKeys(classes);
  firsts.forEach((first, channel) => {
    const amounts = sets.map((set) => {
      let sum = 0;
      for (const tap of set) sum += sums[channel * taps + tap]!;
      return sum;
    });
    keys.forEach((key, position) => {
      if (sets[key]!.length > 0) add(first + position, isOff ? 0 : amounts[key]!);
    });
  });
}

function flat(axes: readonly AxisWindow[], taps: readonly number[]): number {
  return taps.reduce((index, tap, i) => index * axes[i]!.kernel + tap, 0);
}

/** Which combination of classes each position belongs to. */
function positionKeys(classes: readonly ReturnType<typeof tapClasses>[]): Int32Array {
  return classes.reduce<Int32Array>((keys, { of, taps }) => {
    const next = new Int32Array(keys.length * of.length);
    keys.forEach((key, i) =>
      of.forEach((one, j) => (next[i * of.length + j] = key * taps.length + one)),
    );
    return next;
  }, new Int32Array(1));
}

/** A pooling has an edge per window and activation, few beside those of a kernel: they are walked. */
function addPooling(
  link: UnrolledLink,
  kernel: Kernel,
  { own: { own, magnitude }, direction, add }: { own: Part; direction: string; add: Add },
): void {
  for (const { rows, columns, weights } of unrolledPatches(link, kernel)) {
    const taps = columns.length / rows.length;
    columns.forEach((from, at) => {
      const part = own * weights[at]! + magnitude * Math.abs(weights[at]!);
      add(from, direction === "in" ? 0 : part);
      add(rows[Math.floor(at / taps)]!, direction === "out" ? 0 : part);
    });
  }
}
