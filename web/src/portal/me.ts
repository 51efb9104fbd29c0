import { queryOptions, type QueryClient } from "@tanstack/react-query";
import { ApiError, call } from "../api.ts";
import type { MayJson, MeJson } from "../gen/jiseki/control/v1/auth_pb.js";

/** Who is signed in; null if nobody is. */
export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: async ({ signal }): Promise<MeJson | null> => {
    try {
      return (await call("AuthService", "GetMe", {}, signal)).me ?? null;
    } catch (e) {
      if (e instanceof ApiError && e.signedOut) return null;
      throw e;
    }
  },
  staleTime: 60_000,
});

/** Says whether the sign-in may do something. */
export function may(me: MeJson, what: MayJson): boolean {
  return (me.may ?? []).includes(what);
}

/** Forgets everything of the sign-in that was, and who it was. */
export function forgetMe(client: QueryClient): void {
  client.removeQueries({ predicate: (q) => q.queryKey[0] !== "me" });
  client.setQueryData(meQuery.queryKey, null);
}
