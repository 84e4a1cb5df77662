/** Every architecture by name. A new one is a file and a line here. */
import { UsageError } from "../../errors.ts";
import type { Architecture } from "../network.ts";
import { createRegistry, type Registry } from "../registry.ts";
import { lenet5 } from "./lenet5.ts";
import { mlp } from "./mlp.ts";
import type { ZooEntry, ZooOptions } from "./zoo.ts";

export const architectures: Registry<ZooEntry> = createRegistry("architecture", [mlp, lenet5]);

/** The architecture called `name`, cut to the data. @throws {UsageError} `USAGE_UNKNOWN_MODEL` */
export function buildArchitecture(name: string, options: ZooOptions): Architecture {
  if (!architectures.has(name)) {
    throw new UsageError("USAGE_UNKNOWN_MODEL", `no architecture is called ${name}`, {
      hint: `There are ${architectures
        .all()
        .map((entry) => entry.name)
        .join(", ")}.`,
    });
  }
  return architectures.get(name).build(options);
}
