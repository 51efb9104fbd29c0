import type { Words } from "./ja.ts";
import type { manualJa } from "./manual.ja.ts";

/** The words around the manuals in English. */
export const manualEn: Words<typeof manualJa> = {
  staff: "Staff manual",
  approver: "Approvers' guide",
  contents: "Contents",
  print: "Print",
  japaneseOnly: "This manual is in Japanese only.",
  read: "How to sign in and work is in the staff manual.",
  open: "Open the staff manual",
};
