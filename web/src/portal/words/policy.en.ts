import type { policyJa } from "./policy.ja.ts";
import type { Words } from "./ja.ts";

/** The words of the policy pages in English. */
export const policyEn: Words<typeof policyJa> = {
  nav: { policy: "Policy", staff: "Staff", calendar: "Open days", routes: "Routes", why: "Why", power: "Power", mails: "Mail" },
};
