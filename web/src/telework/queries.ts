// What the pages of the telework day ask the gateway for.
import { queryOptions } from "@tanstack/react-query";
import { call } from "../api/api.ts";
import type { RequestJson } from "../gen/jiseki/control/v1/telework_pb.js";

/** One request, whole. */
export const requestQuery = (requestId: string) =>
  queryOptions({
    queryKey: ["request", requestId],
    queryFn: async ({ signal }): Promise<RequestJson | null> =>
      (await call("TeleworkService", "GetRequest", { requestId }, signal)).request ?? null,
    staleTime: 0,
  });

/** The days from one to another with hours, holidays and requests; userId empty: my own. */
export const calendarQuery = (from: string, until: string, userId = "") =>
  queryOptions({
    queryKey: ["calendar", userId, from, until],
    queryFn: async ({ signal }) =>
      (await call("TeleworkService", "GetCalendar", { from, until, userId }, signal)).days ?? [],
    staleTime: 60_000,
  });
