/** Feed-forward units: in, hidden, out; of a product of two hidden layers the first factor is the signal, as in a traced graph. */
import type { Signal } from "./signal.ts";
import type { ExpertUnit, ForwardUnit } from "./units.ts";
import type { Scope, Walker } from "./walker.ts";
import { inOf } from "./widths.ts";

export function feedForward(
  { main, other, out, half }: ForwardUnit,
  from: Signal,
  walker: Walker,
  scope: Scope,
): Signal | null {
  const named: Scope = { ...scope, basis: "name" };
  const hidden = walker.fit(main, from, named);
  if (hidden === null) return null;
  if (other !== null && walker.fit(other, from, named)?.size !== hidden.size) return null;
  const need = inOf(out, walker.facts.rowsSend);
  if (need === null || hidden.size === null) return null;
  if (hidden.size !== 2 * need) return walker.fit(out, hidden, named);
  const start = half === "first" ? 0 : need;
  const at = Int32Array.from({ length: need }, (_, i) => start + i);
  return walker.fit(out, walker.plan.pick(hidden, at), named);
}

/** Experts read one stream, and what they put out is added up; the router's choice ends there. */
export function mixtureOfExperts(
  { experts, router }: ExpertUnit,
  from: Signal,
  walker: Walker,
  scope: Scope,
): Signal | null {
  const outputs: Signal[] = [];
  for (const expert of experts) {
    const output = feedForward(expert, from, walker, scope);
    if (output === null || output.size !== (outputs[0] ?? output).size) return null;
    outputs.push(output);
  }
  if (router !== null) walker.fit(router, from, { ...scope, basis: "name" });
  return outputs.length === 0 ? null : walker.plan.sum(outputs);
}
