// @vitest-environment jsdom
import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { RequestJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { askedOf, refusal } from "../portal/gatewaytest.ts";
import { usePages, visit } from "../portal/visittest.tsx";

usePages();

const people = [
  ["r1", "鈴木 花子"],
  ["r2", "中村 翔"],
  ["r3", "木村 さくら"],
] as const;

const requests = people.map(([requestId, userName]): RequestJson => ({
  requestId,
  userName,
  userId: requestId,
  byUserId: requestId,
  revision: 2,
  state: "REQUEST_STATE_PENDING",
  mayDecide: true,
  draft: { days: [{ date: "2026-12-04", unit: "DAY_UNIT_FULL" }], place: "PLACE_HOME", work: "予算" },
  steps: [{ position: 1, answer: "ANSWER_APPROVE" }, { position: 2 }],
}));

const withdrawn = refusal("request_decided");

test("of three requests the one that cannot be decided is named, and the others are done", async () => {
  const user = userEvent.setup();
  let waiting = requests;
  const heard = await visit("/inbox", {
    ListInbox: () => ({ waiting }),
    ListReviews: {},
    DecideRequests: () => {
      waiting = waiting.slice(1, 2);
      return { results: [{ requestId: "r1" }, { requestId: "r2", refusal: withdrawn }, { requestId: "r3" }] };
    },
  });
  await user.click(await screen.findByRole("checkbox", { name: "すべて選ぶ" }));
  await user.click(screen.getByRole("button", { name: "承認" }));
  const dialog = within(await screen.findByRole("dialog"));
  expect(dialog.getAllByRole("listitem").map((li) => li.textContent)).toEqual(people.map(([, name]) => name));
  await user.click(dialog.getByRole("button", { name: "承認" }));
  await screen.findByText("2件を承認しました。");
  const alert = await dialog.findByRole("alert");
  expect(alert.textContent).toContain("中村 翔さんの申請は処理できませんでした。");
  expect(alert.textContent).toContain(withdrawn.reasons[0]?.ja);
  expect(askedOf(heard, "DecideRequests")).toEqual([
    {
      answer: "ANSWER_APPROVE",
      comment: "",
      decisions: people.map(([requestId]) => ({ requestId, revision: 2, step: 2 })),
    },
  ]);
});

test("a return needs words for the applicant", async () => {
  const user = userEvent.setup();
  const heard = await visit("/inbox", {
    ListInbox: { waiting: requests },
    ListReviews: {},
    DecideRequests: { results: [{ requestId: "r1" }] },
  });
  await user.click(await screen.findByRole("checkbox", { name: "鈴木 花子さんの申請を選ぶ" }));
  await user.click(screen.getByRole("button", { name: "差戻し" }));
  const dialog = within(await screen.findByRole("dialog"));
  await user.click(dialog.getByRole("button", { name: "差戻し" }));
  await dialog.findByText("差戻しと不承認には、理由を入力してください。");
  expect(askedOf(heard, "DecideRequests")).toEqual([]);
  await user.type(dialog.getByLabelText(/申請者への連絡/), "日を改めてください。");
  await user.click(dialog.getByRole("button", { name: "差戻し" }));
  await screen.findByText("1件を差し戻しました。");
  expect(screen.queryByRole("dialog")).toBeNull();
});

test("months that cannot be confirmed stay chosen and say why", async () => {
  const user = userEvent.setup();
  const unfinished = refusal("workday_end_missing");
  const heard = await visit("/months?month=2026-10", {
    ListMonths: {
      reports: people.slice(0, 2).map(([userId, userName]) => ({ userId, userName, days: 4 })),
      gapLimitMs: "1800000",
    },
    ConfirmMonths: { refusals: [{ userId: "r2", refusal: unfinished }] },
  });
  const boxes = await Promise.all(
    ["鈴木 花子", "中村 翔"].map(async (name) =>
      screen.findByRole<HTMLInputElement>("checkbox", { name: `${name}さんを選ぶ` }),
    ),
  );
  for (const box of boxes) {
    await user.click(box);
  }
  await user.click(screen.getByRole("button", { name: "選んだ職員の実績を確認済みにする" }));
  await screen.findByText("1人の実績を確認しました。");
  const alert = await screen.findByRole("alert");
  expect(alert.textContent).toContain("中村 翔さんの実績は確認できませんでした。");
  expect(alert.textContent).toContain(unfinished.reasons[0]?.ja);
  expect(boxes.map((box) => box.checked)).toEqual([false, true]);
  expect(askedOf(heard, "ConfirmMonths").map((b) => b.userIds)).toEqual([["r1", "r2"]]);
});
