import { expect, test } from "vitest";

import { codes } from "../link/error.ts";
import { Text, type Language } from "./text.ts";

/** What is said when nobody said why. */
const unexplained = (language: Language): string => new Text(language).explain({ kind: "network" }).what;

test.each(Object.entries(codes).filter(([, code]) => code >= 4000))(
  "the end of a link by %s (%d) is explained",
  (_, code) => {
    for (const language of ["ja", "en"] as const) {
      const said = new Text(language).explain({ kind: "link", code });
      expect(said.what).not.toBe(unexplained(language));
      expect(said.code).toBe(`link-${code}`);
    }
  },
);
