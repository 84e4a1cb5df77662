/** Which contestant does what on which network. */
import type { Law, NetworkName } from "./cases.ts";

export interface Planned {
  readonly network: NetworkName;
  readonly laws: readonly Law[];
  /** Tools by measure. */
  readonly entries: Readonly<Record<string, readonly string[]>>;
}

export const general: Planned["entries"] = {
  read: ["weightgraph", "numpy"],
  strengths: ["weightgraph", "numpy", "graph-tool", "igraph", "networkx", "graphology", "ngraph"],
  eigenvector: ["weightgraph", "scipy", "igraph", "networkx", "graph-tool", "graphology"],
  "eigenvector, to rounding": ["weightgraph"],
  "eigenvector, default": ["networkx"],
  "k-core": ["weightgraph", "graph-tool", "igraph", "networkx"],
  core: ["weightgraph"],
};

/** Who builds an object per edge is left out from here on. */
const large: Planned["entries"] = {
  read: ["weightgraph", "numpy"],
  strengths: ["weightgraph", "numpy"],
  eigenvector: ["weightgraph", "scipy"],
  "eigenvector, to rounding": ["weightgraph"],
  core: ["weightgraph"],
};

const block: Planned["entries"] = {
  read: ["weightgraph", "numpy"],
  strengths: ["weightgraph", "numpy"],
  eigenvector: ["weightgraph", "scipy"],
  "eigenvector, to rounding": ["weightgraph"],
  core: ["weightgraph", "numpy", "numpy-masks"],
  hypercore: ["weightgraph"],
  rewiring: ["weightgraph", "numpy"],
};

const both = ["gaussian", "heavy-tailed"] as const;

/** As many of the plan come before everything else. */
export const targeted = 4;

export const fullPlan: readonly Planned[] = [
  { network: "4096 x 4096", laws: both, entries: block },
  { network: "4096 x 25088", laws: both, entries: { core: block["core"]! } },
  { network: "AlexNet", laws: ["gaussian"], entries: large },
  { network: "1 M", laws: ["gaussian"], entries: general },
  { network: "60 k", laws: both, entries: general },
  { network: "10 M", laws: ["gaussian"], entries: general },
  { network: "1 M", laws: ["heavy-tailed"], entries: general },
  { network: "1024 x 1024", laws: ["gaussian"], entries: { rewiring: block["rewiring"]! } },
  { network: "512 x 4608", laws: ["gaussian"], entries: { rewiring: block["rewiring"]! } },
  { network: "AlexNet", laws: ["heavy-tailed"], entries: large },
  { network: "VGG-16", laws: both, entries: large },
  { network: "10 M", laws: ["heavy-tailed"], entries: large },
];

export const quickPlan: readonly Planned[] = [
  { network: "tiny", laws: both, entries: general },
  { network: "64 x 64", laws: both, entries: block },
];
