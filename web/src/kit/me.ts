import { queryOptions, type QueryClient } from "@tanstack/react-query";
import { ApiError, call } from "../api/api.ts";
import type { MayJson, MeJson } from "../gen/jiseki/control/v1/auth_pb.js";

/** Who is signed in; null if nobody is. */
export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: async ({ signal }): Promise<MeJson | null> => {
    try {
      return (await call("AuthService", "GetMe", {}, signal)).me ?? null;
    } catch (e) {
      if (e instanceof ApiError && e.signedOut) {
        return null;
      }
      throw e;
    }
  },
  staleTime: 60_000,
});

/** Says whether the sign-in may do something. */
export function may(me: MeJson, what: MayJson): boolean {
  return (me.may ?? []).includes(what);
}

/** Why a sign-in ended: its time was over, or its user signed out. */
export type Left = "over" | "out";

const LEFT = ["left"];

/** Forgets everything of the sign-in that was, but why it ended. */
export function forgetMe(client: QueryClient, why: Left): void {
  const known = client.getQueryData(meQuery.queryKey);
  client.removeQueries({ predicate: (q) => q.queryKey[0] !== "me" && q.queryKey[0] !== LEFT[0] });
  if (known) {
    client.setQueryData<Left>(LEFT, why);
  }
  client.setQueryData(meQuery.queryKey, null);
}

/** Why the last sign-in of this page ended; undefined if there was none. */
export function whyLeft(client: QueryClient): Left | undefined {
  return client.getQueryData<Left>(LEFT);
}
