import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { manuals } from "./src/manual/plugin.ts";

// Tests run in Node by default; a file that needs a DOM says so in its first line:
// // @vitest-environment jsdom
export default defineConfig({
  plugins: [react(), manuals()],
  test: {
    include: ["src/**/*.test.ts", "src/**/*.test.tsx", "lint/*.test.js"],
    environment: "node",
    setupFiles: ["./vitest.setup.ts"],
    testTimeout: 60_000,
    maxWorkers: 2,
    benchmark: { include: ["src/**/*.bench.ts"] },
  },
});
