import type { Model, Wire } from "../../src/index.ts";

/** A topology in words: `kernel: a+b -> c [split roles]`, one line per wire. */
export function wiresOf(model: Model): string[] {
  const { layers, wires } = model.topology;
  const owner = layers.flatMap(({ name, size }) => new Array<string>(size).fill(name));
  const named = (ids: Wire["from"]): string =>
    [...new Set(Array.from(ids, (id) => owner[id]))].join("+");
  return wires.map(({ layer, from, to, layout, recurrent }) => {
    const axes = layout.roles.map((role, i) => `${role}${layout.split[i]}`).join(" ");
    const way = recurrent ? "~>" : "->";
    return `${model.layers[layer]!.name}: ${named(from)} ${way} ${named(to)} [${axes}]`;
  });
}

export function neuronLayersOf(model: Model): Record<string, number> {
  return Object.fromEntries(model.topology.layers.map(({ name, size }) => [name, size]));
}
