// @vitest-environment jsdom
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { I18nextProvider } from "react-i18next";
import { expect, test, vi } from "vitest";
import { startWords } from "../kit/i18n.ts";
import { answering } from "../portal/gatewaytest.ts";
import { usePages } from "../portal/visittest.tsx";
import { Settings } from "./settings.tsx";

usePages();

test("who is locked out is said before the settings are saved", async () => {
  const saved: unknown[] = [];
  const users = [
    [{ userId: "a", hasTotp: true }, { userId: "b" }, { userId: "c", disabled: true }],
    [{ userId: "d" }, { userId: "e" }],
  ];
  answering({
    GetSettings: {
      settings: { organisationName: "あおば町", sessionMaxS: 43200, signInMaxS: 43200, idleS: 1800 },
      revision: "1",
    },
    ListUsers: ({ page }) =>
      page?.token === "2" ? { users: users[1] ?? [] } : { users: users[0] ?? [], nextToken: "2" },
    UpdateSettings: ({ settings }) => {
      saved.push(settings);
      return { revision: "2" };
    },
  });
  const user = userEvent.setup();
  render(
    <I18nextProvider i18n={await startWords("ja")}>
      <MantineProvider env="test">
        <QueryClientProvider client={new QueryClient()}>
          <Settings />
        </QueryClientProvider>
      </MantineProvider>
    </I18nextProvider>,
  );
  await user.click(await screen.findByRole("switch", { name: "庁外からの接続にワンタイムパスワードを求める" }));
  await user.click(screen.getByRole("button", { name: "設定を保存" }));
  await screen.findByText(/4人中3人/);
  expect(screen.queryByText(/承認された申請または命令/)).toBeNull();
  expect(saved).toEqual([]);
  await user.click(screen.getByRole("button", { name: "キャンセル" }));
  expect(saved).toEqual([]);
  await user.click(screen.getByRole("switch", { name: "承認済みの申請がある時間だけ接続を許可する" }));
  await user.click(screen.getByRole("button", { name: "設定を保存" }));
  await screen.findByText(/承認された申請または命令がある時間のほか.*いま続いているものも終了/);
  await user.click(await screen.findByRole("button", { name: "理解して保存" }));
  await vi.waitFor(() => expect(saved).toHaveLength(1));
  expect(saved[0]).toMatchObject({ totpRequiredOutside: true, approvalRequired: true });
});
