// Makes the command-line entry executable after tsc has written it.
import { chmodSync, existsSync } from "node:fs";

const entry = "dist/cli/main.js";
if (existsSync(entry)) chmodSync(entry, 0o755);
