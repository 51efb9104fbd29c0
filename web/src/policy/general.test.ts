import { expect, test } from "vitest";
import { generalErrors, generalOf, policyWith } from "./general.ts";

const policy = {
  employments: [{ id: "regular", name: "一般職" }],
  hours: { startMinute: 510, endMinute: 1035, breakStartMinute: 720, breakEndMinute: 780 },
  rules: [{ telework: "ALLOW_NO" as const }],
  reservedSeats: [],
  maxOfficeSessions: 200,
  gapLimitMinutes: 30,
  mail: { server: "mail:587", tls: "starttls", user: "", from: "a@example.jp", digestMinutes: 15, passwordSet: true },
  wakeLeadMinutes: 20,
  wakeStaggerMs: 2000,
  wakeByPlan: true,
};

test("what is not touched stays as it was", () => {
  expect(policyWith(policy, generalOf(policy))).toEqual(policy);
});

test("employments are one a line", () => {
  const typed = { ...generalOf(policy), employments: "regular 一般職\n\n fiscal　会計年度任用職員 " };
  expect(generalErrors(typed).size).toBe(0);
  expect(policyWith(policy, typed).employments).toEqual([
    { id: "regular", name: "一般職" },
    { id: "fiscal", name: "会計年度任用職員" },
  ]);
});

test.each([
  [{ employments: "一般職" }, "employments"],
  [{ start: "8" }, "start"],
  [{ breakEnd: "25:00" }, "breakEnd"],
] as const)("%j is refused", (change, field) => {
  expect([...generalErrors({ ...generalOf(policy), ...change })]).toEqual([field]);
});
