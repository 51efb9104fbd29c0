// Opens a page of the portal in jsdom with a gateway of the test's own; the real gateway is walked through by
// check/pages.mjs.
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, RouterProvider } from "@tanstack/react-router";
import { cleanup, configure, render } from "@testing-library/react";
import { format } from "node:util";
import { I18nextProvider } from "react-i18next";
import { afterEach, beforeEach, expect, vi, type MockInstance } from "vitest";
import { SlipDesk } from "../console/slips.tsx";
import type { MeJson } from "../gen/jiseki/control/v1/auth_pb.js";
import { type Language, startWords } from "../kit/i18n.ts";
import { type Answers, answering, type Heard } from "./gatewaytest.ts";
import { makeRouter } from "./router.tsx";
import { makeTheme } from "../kit/theme.ts";

/**
 * Sets up the browser's parts that jsdom lacks, for each test of the file. What React finds fault with fails the test.
 */
export function usePages(): void {
  // Pages come in pieces, on a busy machine slowly. Who looks for what is hidden asks for the styles of every element,
  // which takes jsdom eight times as long as all the rest.
  configure({ asyncUtilTimeout: 50_000, defaultHidden: true });
  vi.setConfig({ testTimeout: 120_000 });
  let errors: MockInstance<typeof console.error>;
  beforeEach(() => {
    // pages know today before the gateway says so
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-11-24T10:00:00+09:00") });
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
    // fields that grow listen to it
    Object.defineProperty(document, "fonts", { configurable: true, value: new EventTarget() });
    vi.stubGlobal("scrollTo", () => undefined);
    errors = vi.spyOn(console, "error");
  });
  afterEach(() => {
    cleanup();
    const said = errors.mock.calls.map((words) => format(...words));
    vi.restoreAllMocks();
    vi.useRealTimers();
    vi.unstubAllGlobals();
    expect(said.filter((s) => !s.startsWith("The tag <search>"))).toEqual([]); // jsdom is older than it
  });
}

const ME: MeJson = {
  userId: "kacho",
  name: "佐藤 健",
  organisationName: "あおば町",
  may: ["MAY_USE_PORTAL", "MAY_OPEN_DESK", "MAY_ADMINISTER"],
};

/** Opens a page in a language, Japanese by default, and gives what it asks the gateway. */
export async function visit(path: string, answers: Answers, language: Language = "ja"): Promise<Heard> {
  const heard = answering({ GetMe: { me: ME }, GetToday: { date: "2026-11-24", approver: true }, ...answers });
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const router = makeRouter(client, createMemoryHistory({ initialEntries: [path] }));
  render(
    <I18nextProvider i18n={await startWords(language)}>
      <MantineProvider theme={makeTheme({ close: "x" })} env="test">
        <Notifications />
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
