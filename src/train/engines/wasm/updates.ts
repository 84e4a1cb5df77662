/** Optimisers: in place, one member of the population after the other, each with its own row of settings. */
import { elementCount } from "../../../tensor/shape.ts";
import type { Kernels } from "../../../kernels/load.ts";
import type { Tensor } from "../../ir.ts";
import type { Task } from "./fuse.ts";
import type { ProcedurePlan } from "./plan.ts";

export function sgdUpdate(plan: ProcedurePlan, task: Task): void {
  update(plan, task, ({ sgdUpdate }, [parameter, gradient, velocity, settings], count) =>
    sgdUpdate(parameter!, gradient!, velocity!, settings!, count),
  );
}

export function adamUpdate(plan: ProcedurePlan, task: Task): void {
  update(plan, task, ({ adamUpdate }, [parameter, gradient, mean, square, settings], count) =>
    adamUpdate(parameter!, gradient!, mean!, square!, settings!, count),
  );
}

/** `run` is given the addresses of one member's share of each input, and how many parameters it has. */
function update(
  plan: ProcedurePlan,
  { node }: Task,
  run: (kernels: Kernels, addresses: readonly number[], count: number) => void,
): void {
  const regions = node.inputs.map((tensor) => plan.plain(tensor));
  const [members = 1] = node.inputs[0]!.shape;
  const sizes = node.inputs.map(({ shape }) => elementCount(shape) / members);
  node.outputs.forEach((output, i) => {
    plan.overwrite(output, node.inputs[node.operation.sharing![i]!] as Tensor);
  });
  plan.emit(({ kernels }) => {
    const addresses = Array.from({ length: members }, (_, member) =>
      regions.map(({ address }, i) => address + member * sizes[i]! * 4),
    );
    return () => {
      for (const each of addresses) run(kernels, each, sizes[0]!);
    };
  });
}
