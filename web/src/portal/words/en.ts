import { consoleEn } from "./console.en.ts";
import type { Words } from "./ja.ts";
import { portalEn } from "./portal.en.ts";

/** All words in English. */
export const en: Words = { ...portalEn, console: consoleEn };
