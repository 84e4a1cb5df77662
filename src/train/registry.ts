import { UsageError } from "../errors.ts";

/** Parts of one kind by name. */
export interface Registry<T extends { readonly name: string }> {
  /** @throws {UsageError} `USAGE_UNKNOWN_PART`, naming those that there are. */
  get(name: string): T;
  has(name: string): boolean;
  /** In order of registration. */
  all(): readonly T[];
  /** @throws {UsageError} `USAGE_INVALID_OPTION` if the name is taken. */
  add(part: T): void;
}

/** A registry of `parts`, each a file of its own; `kind` is for messages: "layer". */
export function createRegistry<T extends { readonly name: string }>(
  kind: string,
  parts: readonly T[],
): Registry<T> {
  const byName = new Map<string, T>();
  const registry: Registry<T> = {
    get(name) {
      const part = byName.get(name);
      if (part === undefined) {
        throw new UsageError("USAGE_UNKNOWN_PART", `no ${kind} is called ${JSON.stringify(name)}`, {
          hint: `There are ${[...byName.keys()].join(", ")}.`,
        });
      }
      return part;
    },
    has: (name) => byName.has(name),
    all: () => [...byName.values()],
    add(part) {
      if (byName.has(part.name)) {
        throw new UsageError("USAGE_INVALID_OPTION", `two ${kind}s are called ${part.name}`);
      }
      byName.set(part.name, part);
    },
  };
  parts.forEach((part) => registry.add(part));
  return registry;
}
