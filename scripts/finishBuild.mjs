// After tsc: joins the command line and what it loads into few files, since hundreds of modules take half a second to load and 20 MB
// to hold; makes its entry executable, and lets `npx weightgraph` find it inside this checkout.
import { chmodSync, existsSync, rmSync, symlinkSync } from "node:fs";
import { rolldown } from "rolldown";

const folder = "dist/cli";
const entry = `${folder}/main.js`;

const bundle = await rolldown({
  input: { main: "cli/main.ts" },
  platform: "node",
  // Packages stay as they are, with their licences.
  external: /^[^./]/,
});
rmSync(folder, { recursive: true, force: true });
await bundle.write({
  dir: folder,
  entryFileNames: "[name].js",
  chunkFileNames: "parts/[name]-[hash].js",
  // Names stay, for the stacks of --debug.
  minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
});
await bundle.close();

const link = "node_modules/.bin/weightgraph";
chmodSync(entry, 0o755);
if (process.platform !== "win32" && existsSync("node_modules/.bin")) {
  rmSync(link, { force: true });
  symlinkSync(`../../${entry}`, link);
}
