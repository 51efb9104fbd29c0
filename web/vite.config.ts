import { readdir, readFile, writeFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { manuals } from "./src/manual/plugin.ts";

const root = import.meta.dirname;

/** Keeps dist/placeholder.txt, which lets `go build` embed the folder before anything was built. */
function keepPlaceholder(): Plugin {
  return {
    name: "keep-placeholder",
    async closeBundle() {
      await writeFile(
        resolve(root, "dist/placeholder.txt"),
        "Vite writes the pages here (make web). This file lets the gateway compile without Node.\n",
      );
    },
  };
}

/** Puts a .br and a .gz beside every text asset: the gateway serves them as they are. */
function compress(): Plugin {
  const texts = new Set([".js", ".css", ".svg"]);
  return {
    name: "compress",
    async closeBundle() {
      const folder = resolve(root, "dist/assets");
      for (const name of await readdir(folder)) {
        if (!texts.has(extname(name))) {
          continue;
        }
        const body = await readFile(resolve(folder, name));
        if (body.length < 1024) {
          continue;
        }
        await writeFile(resolve(folder, `${name}.br`), brotliCompressSync(body));
        await writeFile(resolve(folder, `${name}.gz`), gzipSync(body, { level: 9 }));
      }
    },
  };
}

// Two pages: the portal with the console, and the viewer. No script and no style stands inline in the
// HTML, so that the gateway's Content-Security-Policy can stay `script-src 'self'`. The nonce is for the style elements
// that components make at run time; the gateway puts a fresh one in the place of the placeholder.
export default defineConfig({
  root,
  base: "/",
  plugins: [react(), manuals(), compress(), keepPlaceholder()],
  html: { cspNonce: "__CSP_NONCE__" },
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
