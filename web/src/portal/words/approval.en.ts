import type { approvalJa } from "./approval.ja.ts";
import type { Words } from "./ja.ts";

/** The words of the approval pages in English. */
export const approvalEn: Words<typeof approvalJa> = {
  nav: { inbox: "Approvals", board: "Who works where", week: "Week" },
};
