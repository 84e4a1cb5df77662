/** Decoders that join what they carry with what an encoder put out on the way down. */
import type { Rule } from "./walker.ts";
import { expected } from "./widths.ts";

/** Families by the path of the module that reads both, and which stands first in the concatenation. */
const decoders: readonly (readonly [RegExp, "skip" | "carried"])[] = [
  [/(?:^|\.)up\d+\.conv$/, "skip"],
  [/(?:^|\.)decoder\d+$/, "carried"],
  [/(?:^|\.)decoder\.blocks\.\d+\.conv1$/, "carried"],
];

/** Joins the latest tap of the missing width that no other decoder has taken. */
export const concatenatedSkip: Rule = (node, from, walker, scope) => {
  const family = decoders.find(([pattern]) => pattern.test(node.path));
  const width = expected(node, walker.facts.rowsSend);
  if (family === undefined || width === null || from.size === null) return null;
  const missing = width - from.size;
  const fitting = scope.taps.filter((tap) => tap.size === missing && tap !== from);
  const skip = fitting.findLast((tap) => walker.plan.take(tap));
  if (skip === undefined) return null;
  const parts = family[1] === "skip" ? [skip, from] : [from, skip];
  return walker.fit(node, walker.plan.concat(parts), { ...scope, basis: "name" });
};
