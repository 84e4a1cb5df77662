// The floors: which folder of src may import which. docs/architecture.md has the picture.
const may = {
  errors: [],
  random: ["errors"],
  numeric: ["errors", "random"],
  kernels: ["errors", "numeric"],
  tensor: ["errors", "numeric"],
  bytes: ["errors"],
  model: ["errors", "random", "numeric", "tensor"],
  formats: ["errors", "tensor", "bytes", "model"],
  graph: ["errors", "numeric", "kernels", "tensor", "model"],
  analysis: ["errors", "random", "numeric", "kernels", "graph"],
  export: ["errors", "random", "graph", "analysis"],
  rewrite: ["errors", "random", "numeric", "kernels", "tensor", "model", "graph", "analysis"],
  data: ["errors", "random", "tensor", "bytes"],
  train: ["errors", "random", "numeric", "kernels", "tensor", "model", "data"],
  predict: ["errors", "random", "numeric", "analysis"],
};
const at = (name) => `^src/${name}(/|[.]ts$)`;
const rule = (name, from, to) => ({ name, severity: "error", from, to });
module.exports = {
  forbidden: [
    ...Object.entries(may).map(([name, allowed]) =>
      rule(
        `floor-${name}`,
        { path: at(name) },
        { path: "^(src|cli|viewer|tests)/", pathNot: [name, ...allowed].map(at) },
      ),
    ),
    rule(
      "known-folder",
      { path: "^src/", pathNot: [...Object.keys(may).map(at), "^src/(index|node)[.]ts$"] },
      {},
    ),
    rule("no-cycles", {}, { circular: true }),
    rule(
      "formats-are-strangers",
      { path: "^src/formats/([^/]+)/" },
      { path: "^src/formats/[^/]+/", pathNot: "^src/formats/$1/" },
    ),
    rule(
      "public-api-only",
      { path: "^(cli|viewer|examples)/" },
      { path: "^src/", pathNot: "^src/(index|node)[.]ts$" },
    ),
    rule(
      "node-stays-at-the-edge",
      {
        path: "^(src|viewer)/",
        pathNot:
          "^src/(node[.]ts|bytes/(file|contained|folder)[.]ts|train/engines/)|^viewer/vite[.]config",
      },
      { dependencyTypes: ["core"] },
    ),
    rule(
      "pure-core",
      {
        path: "^src/(errors|random|numeric|kernels|tensor|model|graph|analysis|rewrite|predict)(/|[.]ts$)",
      },
      { dependencyTypes: ["npm", "npm-dev", "npm-optional", "npm-peer", "npm-no-pkg", "unknown"] },
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
  },
};
