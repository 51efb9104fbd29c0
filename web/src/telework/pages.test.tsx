// @vitest-environment jsdom
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import type { RequestJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { askedOf, refusal } from "../portal/gatewaytest.ts";
import { usePages, visit } from "../portal/visittest.tsx";

usePages();

const late = refusal("request_late");

test("a request that is refused keeps what was filled in", async () => {
  const user = userEvent.setup();
  const heard = await visit("/requests/new", {
    GetCalendar: { days: [] },
    CheckRequest: { personalDataAsked: true },
    SubmitRequest: { refusal: late },
  });
  await user.click(await screen.findByRole("button", { name: "申請する" }));
  await screen.findByText("実施日を選んでください。");
  expect(document.activeElement?.textContent).toContain("11月24日");
  await user.keyboard("{ArrowRight} ");
  const work = screen.getByLabelText(/行う業務/);
  await user.click(screen.getByRole("button", { name: "申請する" }));
  expect(document.activeElement).toBe(work);
  await user.paste("予算要求書の作成");
  await user.click(screen.getByRole("button", { name: "申請する" }));
  expect((await screen.findByRole("alert")).textContent).toContain(late.reasons[0]?.ja);
  expect(screen.getByLabelText<HTMLTextAreaElement>(/行う業務/).value).toBe("予算要求書の作成");
  const [sent] = askedOf(heard, "SubmitRequest");
  expect(sent?.draft).toMatchObject({
    days: [{ date: "2026-11-25", unit: "DAY_UNIT_FULL" }],
    work: "予算要求書の作成",
  });
});

test("a wake that fails says why and can be tried again", async () => {
  const user = userEvent.setup();
  const [failure = {}] = refusal("wake_no_answer").reasons;
  let tries = 0;
  const heard = await visit("/members", {
    ListMembers: {
      members: [
        {
          userId: "shoku",
          userName: "鈴木 花子",
          mayOrder: true,
          desks: [{ deskId: "d1", name: "総務課-11", state: "DESK_STATE_OFF" }],
        },
      ],
    },
    WakeDesk: () => ({ wake: { wakeId: `w${++tries}`, state: "WAKE_STATE_QUEUED" } }),
    GetWake: ({ wakeId = "" }) => ({
      wake: wakeId === "w1" ? { wakeId, state: "WAKE_STATE_FAILED", failure } : { wakeId, state: "WAKE_STATE_ON" },
    }),
  });
  await user.click(await screen.findByRole("button", { name: /電源を入れる/ }));
  const dialog = within(await screen.findByRole("dialog"));
  const alert = await dialog.findByRole("alert");
  expect(alert.textContent).toContain("「総務課-11」を起動できませんでした。");
  expect(alert.textContent).toContain(failure.ja);
  await user.click(dialog.getByRole("button", { name: "もう一度試す" }));
  await waitFor(() => expect(askedOf(heard, "GetWake").map((b) => b.wakeId)).toEqual(["w1", "w2"]));
});

test("the same as last week takes three clicks", async () => {
  const user = userEvent.setup();
  const last: RequestJson = {
    requestId: "r1",
    kind: "REQUEST_KIND_TELEWORK",
    state: "REQUEST_STATE_APPROVED",
    draft: {
      days: [{ date: "2026-11-18", unit: "DAY_UNIT_FULL" }],
      place: "PLACE_HOME",
      reason: "REQUEST_REASON_WORK",
      work: "議案の整理",
    },
  };
  const heard = await visit("/", {
    ListDesks: { desks: [] },
    ListMyRequests: { requests: [last] },
    GetRequest: { request: last },
    GetCalendar: { days: [] },
    CheckRequest: {},
    SubmitRequest: { request: { ...last, requestId: "r2" } },
  });
  await user.click(await screen.findByRole("link", { name: "申請" }));
  await user.click(await screen.findByRole("link", { name: "先週と同じ内容で申請" }));
  await user.click(await screen.findByRole("button", { name: "申請する" }));
  await waitFor(() => expect(askedOf(heard, "SubmitRequest")).toHaveLength(1));
  expect(askedOf(heard, "SubmitRequest")[0]?.draft).toMatchObject({
    days: [{ date: "2026-11-25", unit: "DAY_UNIT_FULL" }],
    work: "議案の整理",
  });
});

test("the sums of a month that is open do not stand still", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  try {
    let asked = 0;
    await visit("/workdays", {
      GetMonth: () => ({ report: { month: "2026-11", workMs: String(++asked * 3_600_000) } }),
    });
    await screen.findByText(/1時間0分/);
    await vi.advanceTimersByTimeAsync(61_000);
    await screen.findByText(/2時間0分/);
  } finally {
    vi.useRealTimers();
  }
});
