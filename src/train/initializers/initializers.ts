/** Every initialiser by name. A new one is a file and a line here. */
import { createRegistry, type Registry } from "../registry.ts";
import type { Initializer } from "./initializer.ts";
import { kaimingUniform } from "./kaimingUniform.ts";
import { orthogonal } from "./orthogonal.ts";
import { torchDefault } from "./torchDefault.ts";
import { xavierUniform } from "./xavierUniform.ts";

export const initializers: Registry<Initializer> = createRegistry("initialiser", [
  torchDefault,
  kaimingUniform,
  xavierUniform,
  orthogonal,
]);
