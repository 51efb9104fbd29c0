import { approvalJa } from "./approval.ja.ts";
import { consoleJa } from "./console.ja.ts";
import { manualJa } from "./manual.ja.ts";
import { policyJa } from "./policy.ja.ts";
import { portalJa } from "./portal.ja.ts";
import { teleworkJa } from "./telework.ja.ts";

/** All words in Japanese, the language that others are measured by. */
export const ja = {
  ...portalJa,
  console: consoleJa,
  telework: teleworkJa,
  approval: approvalJa,
  policy: policyJa,
  manual: manualJa,
} as const;

type Texts<T> = { readonly [K in keyof T]: T[K] extends string ? string : Texts<T[K]> };

/** The keys of `Of`, with words of any language. */
export type Words<Of = typeof ja> = Texts<Of>;
