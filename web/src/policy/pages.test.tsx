// @vitest-environment jsdom
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { GetPolicyResponseJson } from "../gen/jiseki/control/v1/policy_pb.js";
import { askedOf, Failing } from "../portal/gatewaytest.ts";
import { usePages, visit } from "../portal/visittest.tsx";

usePages();

const hours = { startMinute: 510, endMinute: 1035, breakStartMinute: 720, breakEndMinute: 780 };
const field = async (name: string): Promise<HTMLInputElement> => screen.findByLabelText<HTMLInputElement>(name);

test("a policy that somebody else changed meanwhile keeps what was typed until the newest is asked for", async () => {
  const user = userEvent.setup();
  let read: GetPolicyResponseJson = { policy: { hours, rules: [] }, revision: "3" };
  const heard = await visit("/console/policy", {
    ListSections: {},
    GetPolicy: () => read,
    UpdatePolicy: new Failing("aborted"),
  });
  await user.clear(await field("休憩の終了"));
  await user.type(await field("休憩の終了"), "13:15");
  await user.click(screen.getByRole("button", { name: "保存" }));
  expect((await screen.findByRole("alert")).textContent).toContain("ほかの人が先に変更しました。");
  expect((await field("休憩の終了")).value).toBe("13:15");
  expect(askedOf(heard, "UpdatePolicy")).toMatchObject([{ revision: "3", policy: { hours: { breakEndMinute: 795 } } }]);
  read = { policy: { hours: { ...hours, endMinute: 1020 }, rules: [] }, revision: "4" };
  await user.click(screen.getByRole("button", { name: "最新の内容を読み込む" }));
  await waitFor(async () => expect((await field("終業")).value).toBe("17:00"));
  expect((await field("休憩の終了")).value).toBe("13:00");
  expect(screen.queryByRole("alert")).toBeNull();
});

test("a new rule waits on the list until the policy is saved", async () => {
  const user = userEvent.setup();
  const heard = await visit("/console/policy", {
    ListSections: {},
    GetPolicy: { policy: { hours, rules: [] }, revision: "3" },
    UpdatePolicy: { revision: "4" },
  });
  await user.click(await screen.findByRole("button", { name: "条件を加える" }));
  const dialog = within(await screen.findByRole("dialog"));
  await user.selectOptions(dialog.getByLabelText("テレワーク"), "認めない");
  await user.click(dialog.getByRole("button", { name: "一覧に入れる" }));
  await screen.findByRole("rowheader", { name: "すべての職員" });
  expect(askedOf(heard, "UpdatePolicy")).toEqual([]);
  await user.click(screen.getByRole("button", { name: "保存" }));
  await waitFor(() =>
    expect(askedOf(heard, "UpdatePolicy")).toMatchObject([{ policy: { rules: [{ telework: "ALLOW_NO" }] } }]),
  );
  await screen.findByRole("rowheader", { name: "すべての職員" });
});
