/** Every optimiser by name. A new one is a file, most often an update operation, and a line here. */
import { createRegistry, type Registry } from "../registry.ts";
import { adam } from "./adam.ts";
import type { Optimizer } from "./optimizer.ts";
import { sgd } from "./sgd.ts";

export const optimizers: Registry<Optimizer> = createRegistry("optimiser", [sgd, adam]);
