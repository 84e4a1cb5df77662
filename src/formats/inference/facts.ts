import { buffers, positionTables, transposed } from "./families.ts";
import { leafWeight, type ModuleNode, type Weight } from "./moduleTree.ts";
import { shortcutOf, without } from "./residual.ts";
import type { AttentionHints, Facts } from "./walker.ts";

/** What the whole file says about its parts. */
export function factsOf(
  root: ModuleNode,
  options: {
    readonly isSorted: boolean;
    readonly hints: readonly AttentionHints[];
    readonly isOriented: boolean;
  },
): Facts {
  const { isOriented } = options;
  const nodes = [...everyNode(root)];
  const storesColumns = nodes.some(isColumnLayer);
  const kin = new Set(nodes.flatMap(kinOf));
  return {
    ...options,
    rowsSend: (weight, node, senders) =>
      isOriented && rowsSend(weight, node, { senders, storesColumns }),
    isResidual(node) {
      if (hasChild(node, "proj_in") && hasChild(node, "proj_out")) return true;
      const isStage = /(?:^|\.)layer\d+\.\d+$/.test(node.path) && hasChild(node, "conv2");
      return isStage || (/\d$/.test(node.name) && kin.has(signatureOf(node)));
    },
  };
}

function* everyNode(node: ModuleNode): Generator<ModuleNode> {
  yield node;
  for (const child of node.children) yield* everyNode(child);
}

/** GPT-2's Conv1D stores [in, out]; its widening layers show it. */
function isColumnLayer(node: ModuleNode): boolean {
  const shape = leafWeight(node)?.shape;
  return shape?.length === 2 && /^c_(?:attn|fc)$/.test(node.name) && shape[0]! < shape[1]!;
}

/** A bias is as long as there are receivers. Where axes are equal, names decide. */
function rowsSend(
  weight: Weight,
  node: ModuleNode,
  { senders, storesColumns }: { senders: number | null; storesColumns: boolean },
): boolean {
  // The class of its owner has said it.
  if (weight.layer.op !== null) return false;
  const [rows, columns] = weight.shape as [number, number, ...number[]];
  const bias = node.vectors.get("bias");
  if (rows !== columns && bias === columns) return true;
  if (rows !== columns && bias === rows) return false;
  if (weight.shape.length === 2) {
    return storesColumns && /^c_(?:attn|fc|proj)$/.test(node.name);
  }
  const isTurned = node.path
    .split(".")
    .slice(-2)
    .some((name) => transposed.test(name));
  if (!isTurned) return false;
  if (rows !== columns) return senders === null || senders === rows;
  return weight.shape.slice(2).every((size) => size % 2 === 0);
}

/** How modules are built beside which a shortcut stands, so that one of the same build without it adds its input. */
function kinOf(node: ModuleNode): string[] {
  const shortcut = shortcutOf(node);
  if (shortcut === null || !/\d$/.test(node.name)) return [];
  const rest = without(node, [shortcut]);
  const isSmall = rest.children.every((child) => child.weightCount <= 3);
  return rest.weightCount > 0 && isSmall ? [signatureOf(rest)] : [];
}

function signatureOf(node: ModuleNode): string {
  const names = node.children.filter((child) => child.weightCount > 0).map(({ name }) => name);
  return names.toSorted().join();
}

function hasChild(node: ModuleNode, name: string): boolean {
  return node.children.some((child) => child.name === name);
}

/** Positions, masks, scales of a factored weight: two axes, but no neurons that send. */
export function isTable(name: string): boolean {
  const segments = name
    .replace(/\.parametrizations\.weight\.original0$/, ".weight_g")
    .split(/[./]/);
  const last = segments.at(-1)!;
  if (/^(?:bias|bias_\w|weight_g|(?:q|k|v)_bias|running_\w+)$/.test(last)) return true;
  const module = /^(?:weight|kernel|embeddings?)$/.test(last) ? segments.at(-2) : last;
  return module !== undefined && (positionTables.test(module) || buffers.test(module));
}
