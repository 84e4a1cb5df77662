/** Softmax with cross-entropy, and its gradient. */
import type { Tensor } from "../../ir.ts";
import type { Task } from "./fuse.ts";
import { blocksOf, type ProcedurePlan } from "./plan.ts";

export function softmaxCrossEntropy(plan: ProcedurePlan, { node }: Task): void {
  const [logits, labels] = node.inputs as [Tensor, Tensor];
  const [loss, probabilities] = node.outputs as [Tensor, Tensor];
  const from = plan.lanes(logits);
  const wanted = plan.plain(labels);
  const shares = plan.makeLanes(probabilities, false);
  const to = plan.makePlain(loss);
  const { members, batch, features, memberBytes } = blocksOf(logits);
  const labelBytes = labels.shape[0] === members ? batch * 4 : 0;
  plan.emit(({ kernels, buffer }) => {
    const means = new Float32Array(buffer, to.address, members);
    return () => {
      for (let member = 0; member < members; member++) {
        const at = member * memberBytes;
        const row = wanted.address + member * labelBytes;
        means[member] =
          kernels.softmaxCrossEntropy(
            shares.address + at,
            from.address + at,
            row,
            features,
            batch,
          ) / batch;
      }
    };
  });
}

export function softmaxCrossEntropyInput(plan: ProcedurePlan, { node }: Task): void {
  const [upstream, probabilities, labels] = node.inputs as [Tensor, Tensor, Tensor];
  const factors = plan.plain(upstream);
  const shares = plan.lanes(probabilities);
  const wanted = plan.plain(labels);
  const to = plan.makeLanes(node.outputs[0]!, true);
  const { members, batch, features, memberBytes } = blocksOf(probabilities);
  const labelBytes = labels.shape[0] === members ? batch * 4 : 0;
  plan.emit(({ kernels, buffer }) => {
    const g = new Float32Array(buffer, factors.address, members);
    return () => {
      for (let member = 0; member < members; member++) {
        const at = member * memberBytes;
        kernels.softmaxCrossEntropyGradient(
          to.address + at,
          shares.address + at,
          wanted.address + member * labelBytes,
          features,
          batch,
          g[member]! / batch,
        );
      }
    };
  });
}
