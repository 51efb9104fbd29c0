// Runs before each test file. What a test of the pages waits for may take long on a loaded machine; the default of
// Testing Library is a second.
import { beforeAll } from "vitest";

beforeAll(async () => {
  if (typeof document === "undefined") {
    return;
  }
  const { configure } = await import("@testing-library/react");
  configure({ asyncUtilTimeout: 50_000 });
});
