import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    globalSetup: ["scripts/buildKernels.mjs"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    typecheck: { enabled: false },
    maxWorkers: "100%",
    // Modules hold no state that a test changes, and loading them anew for each file took most of the time.
    isolate: false,
  },
});
