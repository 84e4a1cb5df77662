import type { ModelWarning } from "../model/model.ts";

/** What a walk over a declared graph could not follow: operators nobody described, and layers whose senders were lost. */
export function traceWarnings(
  unknown: ReadonlySet<string>,
  broken: readonly string[],
): ModelWarning[] {
  const warnings: ModelWarning[] = [];
  if (unknown.size > 0) {
    const message = `channels are taken to pass unchanged through: ${[...unknown].join(", ")}`;
    warnings.push({ code: "OPERATOR_UNKNOWN", message });
  }
  if (broken.length > 0) {
    const message = `channels could not be followed into, so new source layers begin there: ${broken.join(", ")}`;
    warnings.push({ code: "TOPOLOGY_BROKEN", message });
  }
  return warnings;
}
