// After tsc: makes the command-line entry executable, and lets `npx weightgraph` find it inside this checkout.
import { chmodSync, existsSync, rmSync, symlinkSync } from "node:fs";

const entry = "dist/cli/main.js";
const link = "node_modules/.bin/weightgraph";
chmodSync(entry, 0o755);
if (process.platform !== "win32" && existsSync("node_modules/.bin")) {
  rmSync(link, { force: true });
  symlinkSync(`../../${entry}`, link);
}
