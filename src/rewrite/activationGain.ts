/**
 * The factor by which an activation asks weights to be wider than 1 / sqrt(fan-in), so that a signal keeps its size from layer
 * to layer. Source: He et al. 2015 (arXiv 1502.01852) for the rectifiers, the customary 5/3 for tanh, Klambauer et al. 2017
 * (arXiv 1706.02515) for selu, with the 3/4 that PyTorch uses.
 */
export const activationGains: Readonly<
  Record<"linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu", number>
> = {
  linear: 1,
  sigmoid: 1,
  tanh: 5 / 3,
  relu: Math.SQRT2,
  /** With the slope 0.01. */
  leakyRelu: Math.sqrt(2 / (1 + 0.01 ** 2)),
  selu: 3 / 4,
};

export type GainedActivation = keyof typeof activationGains;
