// @vitest-environment jsdom
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { I18nextProvider } from "react-i18next";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startWords } from "../kit/i18n.ts";
import { NewCode } from "./newcode.tsx";

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
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test("a code for a lent device is made by its inventory number", async () => {
  const asked: unknown[] = [];
  vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
    asked.push(JSON.parse(init.body as string));
    return Response.json({ slip: { userId: "tanaka" } });
  });
  const show = vi.fn();
  render(
    <MantineProvider>
      <QueryClientProvider client={new QueryClient()}>
        <I18nextProvider i18n={await startWords("ja")}>
          <NewCode user={{ userId: "tanaka", name: "田中 花子" }} close={() => undefined} show={show} />
        </I18nextProvider>
      </QueryClientProvider>
    </MantineProvider>,
  );
  const user = userEvent.setup();
  expect(screen.queryByLabelText(/^管理番号/)).toBeNull();
  await user.selectOptions(screen.getByLabelText("登録する接続元端末の区分"), "貸与端末");
  await user.click(screen.getByRole("button", { name: "発行" }));
  expect(await screen.findByText("管理番号を入力してください。番号がない端末は「-」と入力します。")).toBeTruthy();
  expect(asked).toEqual([]);
  await user.type(screen.getByLabelText(/^管理番号/), " R8-014 ");
  await user.click(screen.getByRole("button", { name: "発行" }));
  await vi.waitFor(() => expect(show).toHaveBeenCalledWith({ userId: "tanaka" }));
  expect(asked).toEqual([{ userId: "tanaka", deviceKind: "DEVICE_KIND_LENT", inventoryNumber: "R8-014" }]);
});
