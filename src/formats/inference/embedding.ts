/** Tables of tokens: a row for each of them, its neuron sends along the row. */
import { segmentTables, tokenTables } from "./families.ts";
import { leafWeight } from "./moduleTree.ts";
import type { Signal } from "./signal.ts";
import type { Rule } from "./walker.ts";

/**
 * Embeddings that follow one another are added up; one that comes after other layers begins a stream of its own. A second table
 * of the same shape is taken for the first once more (tied).
 */
export const embedding: Rule = (node, from, { plan }, { expect }) => {
  const weight = leafWeight(node);
  const isSegment = segmentTables.test(node.name);
  if (weight === null || weight.shape.length !== 2 || node.vectors.has("bias")) return null;
  const isTold = weight.layer.kind === "embedding";
  if (!isTold && !isSegment && !tokenTables.test(node.name)) return null;
  const [rows, columns] = weight.shape;
  const before = tables.get(from) ?? [];
  const isJoined = before.length > 0 && before.length < tableLimit && from.size === columns;
  if (isJoined && node.name === "embed_tokens" && before.includes(rows!)) return from;
  if (!isTold && !isJoined && expect !== null && expect !== columns) return null;
  // A layer called so that reads what is before it is no table.
  if (!isTold && !isJoined && from.size === columns && expect !== columns) return null;
  const tokens = plan.source(`tokens of ${node.path}`, rows!);
  const rowsOut = plan.place(weight, tokens, { basis: "name", rowsSend: !isTold });
  if (rowsOut === null) return null;
  const output = isJoined ? plan.sum([from, rowsOut]) : rowsOut;
  tables.set(output, isJoined ? [...before, rows!] : [rows!]);
  return output;
};

/** More tables than this are not added up. */
const tableLimit = 8;

/** Numbers of rows of the tables whose sum a signal is. */
const tables = new WeakMap<Signal, readonly number[]>();
