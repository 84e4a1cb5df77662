import { defineConfig, type UserConfig } from "vite";

const config: UserConfig = defineConfig({
  base: "./",
  build: {
    outDir: "../dist/viewer",
    emptyOutDir: true,
    target: "es2023",
    // Everything that the page loads stands in its own files, so that its content security policy can forbid the rest.
    assetsInlineLimit: 0,
    modulePreload: false,
    chunkSizeWarningLimit: 700,
  },
});

export default config;
