import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createBrowserHistory, type RouterHistory, RouterProvider } from "@tanstack/react-router";
import type { i18n } from "i18next";
import { StrictMode, useMemo, useState, type JSX, type ReactNode } from "react";
import { I18nextProvider, useTranslation } from "react-i18next";
import { ApiError } from "../api/api.ts";
import { SlipDesk } from "../console/slips.tsx";
import { forgetMe } from "../kit/me.ts";
import { makeRouter } from "./router.tsx";
import { makeTheme, styleNonce } from "../kit/theme.ts";

interface AppProps {
  readonly words: i18n;
  /** The browser's by default. */
  readonly history?: RouterHistory;
}

/** The portal and the console. */
export function App({ words, history }: AppProps): JSX.Element {
  const [client] = useState(makeClient);
  const [router] = useState(() => makeRouter(client, history ?? createBrowserHistory()));
  return (
    <StrictMode>
      <I18nextProvider i18n={words}>
        <Styled>
          <QueryClientProvider client={client}>
            <SlipDesk>
              <RouterProvider router={router} />
            </SlipDesk>
            <Notifications position="top-right" autoClose={8000} limit={3} />
          </QueryClientProvider>
        </Styled>
      </I18nextProvider>
    </StrictMode>
  );
}

/** The theme, with its names in the language of the page. */
function Styled({ children }: { readonly children: ReactNode }): JSX.Element {
  const { t } = useTranslation();
  const close = t("close");
  const theme = useMemo(() => makeTheme({ close }), [close]);
  return (
    <MantineProvider theme={theme} defaultColorScheme="light" forceColorScheme="light" {...styleNonce(document)}>
      {children}
    </MantineProvider>
  );
}

/** A client that notices, whatever was called, that the sign-in is over. */
function makeClient(): QueryClient {
  const noticeSignOut = (e: unknown): void => {
    if (e instanceof ApiError && e.signedOut) {
      forgetMe(client, "over");
    }
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError: noticeSignOut }),
    mutationCache: new MutationCache({ onError: noticeSignOut }),
    defaultOptions: {
      queries: {
        // Only silence is worth another try: a "no" stays one.
        retry: (failures, e) => e instanceof ApiError && e.code === "unreachable" && failures < 2,
        refetchOnWindowFocus: true,
      },
      mutations: { retry: false },
    },
  });
  return client;
}
