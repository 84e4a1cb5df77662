/** Lists of heads that each read another stage of the trunk. */
import { headNames } from "./families.ts";
import type { Signal } from "./signal.ts";
import type { Rule } from "./walker.ts";
import { expected } from "./widths.ts";

/**
 * The last head reads the last stage, each before it the last stage of its width before that: detectors take their maps where a
 * stage ends.
 */
export const headList: Rule = (node, _from, walker, scope) => {
  const heads = node.children.filter((child) => child.weightCount > 0);
  const isList = heads.length > 1 && heads.every(({ name }) => /^\d+$/.test(name));
  if (!isList || !headNames.test(node.name) || scope.taps.length < heads.length) return null;
  const read: Signal[] = [];
  let end = scope.taps.length;
  for (const head of heads.toReversed()) {
    const width = expected(head, walker.facts.rowsSend);
    const at = scope.taps.slice(0, end).findLastIndex(({ size }) => size === width);
    if (at < 0) return null;
    read.unshift(scope.taps[at]!);
    end = at;
  }
  const named = { ...scope, basis: "name" as const, expect: null };
  const outputs = heads.map((head, i) => walker.fit(head, read[i]!, named));
  return outputs.some((output) => output === null) ? null : outputs.at(-1)!;
};
