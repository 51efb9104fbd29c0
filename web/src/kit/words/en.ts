import { approvalEn } from "./approval.en.ts";
import { consoleEn } from "./console.en.ts";
import type { Words } from "./ja.ts";
import { manualEn } from "./manual.en.ts";
import { policyEn } from "./policy.en.ts";
import { portalEn } from "./portal.en.ts";
import { teleworkEn } from "./telework.en.ts";

/** All words in English. */
export const en: Words = {
  ...portalEn,
  console: consoleEn,
  telework: teleworkEn,
  approval: approvalEn,
  policy: policyEn,
  manual: manualEn,
};
