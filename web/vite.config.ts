import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const root = import.meta.dirname;

/** Keeps dist/placeholder.txt, which lets `go build` embed the folder before anything was built. */
function keepPlaceholder(): Plugin {
  return {
    name: "keep-placeholder",
    async closeBundle() {
      await writeFile(
        resolve(root, "dist/placeholder.txt"),
        "This folder is filled by `npm run build` in web/. This file keeps it in the repository.\n",
      );
    },
  };
}

// Two pages: the portal with the console, and the viewer. No script and no style stands inline in the
// HTML, so that the gateway's Content-Security-Policy can stay `script-src 'self'` without nonces.
export default defineConfig({
  root,
  base: "/",
  plugins: [react(), keepPlaceholder()],
  worker: { format: "es" },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2023",
    assetsDir: "assets",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: {
        index: resolve(root, "index.html"),
        viewer: resolve(root, "viewer.html"),
      },
    },
  },
});
