// @vitest-environment jsdom
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, RouterProvider } from "@tanstack/react-router";
import { cleanup, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { I18nextProvider } from "react-i18next";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { SlipDesk } from "../console/slips.tsx";
import type { MeJson } from "../gen/jiseki/control/v1/auth_pb.js";
import { type Language, startWords } from "../kit/i18n.ts";
import { type Answers, answering, askedOf, type Heard, refusal } from "./gatewaytest.ts";
import { makeRouter } from "./router.tsx";
import { makeTheme } from "../kit/theme.ts";
import { groups } from "./totp.tsx";

const CODES = Array.from({ length: 10 }, (_, i) => `AAAA-BBBB-CCCC-DD${i}0`);
const KEY = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/** A gateway that keeps whether one-time passwords are set up; the real one is tested with the real API in Go. */
function keeping(user: Partial<MeJson>): Answers {
  const who = { userId: "tanaka", name: "田中 花子", organisationName: "あおば町" };
  let me: MeJson = { ...who, may: ["MAY_SET_UP_TOTP"], ...user };
  return {
    GetMe: () => ({ me }),
    BeginTOTP: ({ password: typed }) =>
      typed === "right"
        ? { setup: { secret: KEY, url: `otpauth://totp/x?secret=${KEY}`, sealed: "c2VhbGVk" } }
        : { refusal: wrong },
    ConfirmTOTP: ({ totp }) => {
      if (totp !== "123456") {
        return { refusal: wrong };
      }
      me = { ...me, hasTotp: true, totpNeeded: false };
      return { enabled: { recoveryCodes: CODES } };
    },
    DisableTOTP: () => {
      me = { ...me, hasTotp: false };
      return {};
    },
  };
}

const wrong = refusal("totp_wrong");

beforeEach(() => {
  vi.stubGlobal("matchMedia", () => ({
    matches: false,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  }));
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe(): void {}
      unobserve(): void {}
      disconnect(): void {}
    },
  );
  vi.stubGlobal("scrollTo", () => undefined);
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

async function visit(me: Partial<MeJson>, path = "/totp", language: Language = "ja"): Promise<Heard> {
  const heard = answering(keeping(me));
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const router = makeRouter(client, createMemoryHistory({ initialEntries: [path] }));
  render(
    <I18nextProvider i18n={await startWords(language)}>
      <MantineProvider theme={makeTheme({ close: "x" })} env="test">
        <QueryClientProvider client={client}>
          <SlipDesk>
            <RouterProvider router={router} />
          </SlipDesk>
        </QueryClientProvider>
      </MantineProvider>
    </I18nextProvider>,
  );
  return heard;
}

const password = async (): Promise<HTMLElement> => screen.findByLabelText(/現在のパスワード/);

describe("setting up one-time passwords", () => {
  test("goes by password, app and code, and shows the recovery codes to print", async () => {
    const user = userEvent.setup();
    const heard = await visit({ totpNeeded: true });
    await screen.findByText(/ここで設定してください/);
    await user.type(await password(), "right");
    await user.click(screen.getByRole("button", { name: "設定を始める" }));
    expect((await screen.findByText(groups(KEY))).textContent).toBe("GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    expect(screen.getByRole("img", { name: "認証アプリに読み取らせるQRコード" })).toBeTruthy();
    await user.type(screen.getByLabelText(/ワンタイムパスワード/), "000000");
    await user.click(screen.getByRole("button", { name: "確認して設定" }));
    expect((await screen.findByRole("alert")).textContent).toContain(wrong.reasons[0]?.ja);
    await user.clear(screen.getByLabelText(/ワンタイムパスワード/));
    await user.type(screen.getByLabelText(/ワンタイムパスワード/), "１２３４５６");
    await user.click(screen.getByRole("button", { name: "確認して設定" }));
    const paper = await screen.findByRole("region", { name: "回復コード" });
    expect(
      within(paper)
        .getAllByRole("listitem")
        .map((li) => li.textContent),
    ).toEqual(CODES);
    expect(paper.textContent).toContain("あおば町 田中 花子 (tanaka)");
    expect(askedOf(heard, "ConfirmTOTP").at(-1)).toEqual({ sealed: "c2VhbGVk", totp: "123456" });
    const print = vi.fn();
    vi.stubGlobal("print", print);
    await user.click(screen.getByRole("button", { name: "回復コードを印刷" }));
    expect(print).toHaveBeenCalledOnce();
    expect(screen.getByRole("link", { name: "自席端末の一覧へ進む" })).toBeTruthy();
  });

  test("asks for the password", async () => {
    const user = userEvent.setup();
    const heard = await visit({});
    await password();
    await user.click(screen.getByRole("button", { name: "設定を始める" }));
    await screen.findByText("パスワードを入力してください。");
    await user.type(await password(), "wrong");
    await user.click(screen.getByRole("button", { name: "設定を始める" }));
    await screen.findByRole("alert");
    expect(askedOf(heard, "BeginTOTP")).toHaveLength(1);
  });

  test("can be undone", async () => {
    const user = userEvent.setup();
    await visit({ hasTotp: true });
    await screen.findByText("ワンタイムパスワードは設定されています。");
    const part = within(screen.getByRole("region", { name: "設定をやめる" }));
    await user.type(part.getByLabelText(/現在のパスワード/), "right");
    await user.click(part.getByRole("button", { name: "設定を消す" }));
    await screen.findByText("ワンタイムパスワードは設定されていません。");
  });

  test("says where it works when it does not work here", async () => {
    await visit({ may: [] });
    await screen.findByText(/庁内で、または登録済みの接続元端末で/);
    cleanup();
    await visit({ may: [], hasTotp: true }, "/totp", "en");
    await screen.findByText(/Sign in again with a one-time password/);
  });
});

describe("the first page", () => {
  const device = { deviceId: "d", label: "PC" };
  test("leads to the set-up when the policy asks for it", async () => {
    await visit({ device, totpNeeded: true }, "/");
    await screen.findByText(/まだ設定されていません/);
    expect(screen.getByRole("link", { name: "ワンタイムパスワードを設定" }).getAttribute("href")).toBe("/totp");
  });
  test("asks to sign in again when it was left out", async () => {
    await visit({ device, totpNeeded: true, hasTotp: true, may: [] }, "/");
    await screen.findByText(/サインインし直してください/);
  });
});
