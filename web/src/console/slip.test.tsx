// @vitest-environment jsdom
import { cleanup, render, screen, within } from "@testing-library/react";
import { I18nextProvider } from "react-i18next";
import { afterEach, describe, expect, test } from "vitest";
import { type Language, startWords } from "../kit/i18n.ts";
import { Slip } from "./slip.tsx";

afterEach(cleanup);

const slip = {
  userId: "tanaka",
  name: "田中 花子",
  sectionName: "総務課",
  initialPassword: "jfgs-2xs5-bz8z-2mdq",
  deviceCode: "HV2V-305R-6Y6D-5YHW",
  deviceCodeUntilMs: String(Date.parse("2026-11-30T23:21:00+09:00")),
  address: "https://telework.example.jp",
  organisationName: "あおば町",
  deskNames: ["総務課-PC01", "会議室"],
  inventoryNumber: "",
};

async function show(more: Partial<typeof slip> = {}, language: Language = "ja"): Promise<HTMLElement> {
  render(
    <I18nextProvider i18n={await startWords(language)}>
      <Slip slip={{ ...slip, ...more }} made={Date.parse("2026-11-23T00:00:00+09:00")} />
    </I18nextProvider>,
  );
  return screen.getByRole("article");
}

const value = (paper: HTMLElement, name: string): string =>
  within(paper).getByRole("row", { name: new RegExp(`^${name}`) }).textContent ?? "";

describe("the slip", () => {
  test("says who, where, with what, and the four steps", async () => {
    const paper = await show();
    expect(within(paper).getByRole("heading", { name: "利用者登録通知書" })).toBeTruthy();
    expect(paper.textContent).toContain("総務課 田中 花子 様");
    expect(value(paper, "アドレス")).toContain(slip.address);
    expect(value(paper, "利用者ID")).toContain("tanaka");
    expect(value(paper, "初期パスワード")).toContain(slip.initialPassword);
    expect(value(paper, "端末登録コード")).toContain(slip.deviceCode);
    expect(value(paper, "端末登録コード")).toContain("2026年11月30日 23:21まで有効");
    expect(value(paper, "自席端末")).toContain("総務課-PC01、会議室");
    expect(within(paper).getAllByRole("listitem")).toHaveLength(4);
    expect(within(paper).getByRole("img", { name: "アドレスのQRコード" })).toBeTruthy();
  });

  test("says which lent device the code is for", async () => {
    expect(within(await show()).queryByText("登録する端末")).toBeNull();
    cleanup();
    expect(value(await show({ inventoryNumber: "R8-014" }), "登録する端末")).toContain("貸与端末　管理番号：R8-014");
    cleanup();
    expect(value(await show({ inventoryNumber: "-" }), "登録する端末")).toContain("番号なし");
  });

  test("of a new password has no code, and the other way round", async () => {
    const password = await show({ deviceCode: "", deskNames: [] });
    expect(within(password).queryByText("端末登録コード")).toBeNull();
    expect(password.textContent).toContain("情報システム担当から端末登録コードを受け取り");
    cleanup();
    const code = await show({ initialPassword: "" });
    expect(within(code).queryByText("初期パスワード")).toBeNull();
    expect(code.textContent).toContain("利用者IDとパスワードを入力してサインインします。");
  });

  test("is in English too", async () => {
    const paper = await show({}, "en");
    expect(value(paper, "One-time code")).toContain("Valid until");
    expect(within(paper).getAllByRole("listitem")).toHaveLength(4);
  });

  test("carries the address alone in its code: no secret leaves the paper by a photo of the code", async () => {
    const paper = await show();
    const path = paper.querySelector(".qr path")?.getAttribute("d");
    cleanup();
    const other = await show({ initialPassword: "other", deviceCode: "", userId: "suzuki" });
    expect(other.querySelector(".qr path")?.getAttribute("d")).toBe(path);
  });
});
