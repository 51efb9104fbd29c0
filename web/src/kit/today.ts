// Today, as the gateway says: what concerns the user, and which day it is.
import { type QueryClient, queryOptions, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { call } from "../api/api.ts";
import type { GetTodayResponseJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { dayAt } from "./days.ts";

/** How often the home page asks again, in milliseconds. */
const EVERY = 10_000;

/** How often pages whose times and sums go on by themselves ask again, in milliseconds: they tell minutes. */
export const MINUTE = 60_000;

/** Today at a glance. */
export const todayQuery = queryOptions({
  queryKey: ["today"],
  queryFn: async ({ signal }): Promise<GetTodayResponseJson> => call("TeleworkService", "GetToday", {}, signal),
  refetchInterval: EVERY,
  staleTime: 0,
});

function dayOf(client: QueryClient): string {
  return client.getQueryData(todayQuery.queryKey)?.date ?? dayAt(Date.now());
}

/** Today in Japan: as the gateway says, or by this machine's clock before it was asked. */
export function useDay(): string {
  const client = useQueryClient();
  const [day, setDay] = useState(() => dayOf(client));
  useEffect(() => {
    const timer = setInterval(() => setDay(dayOf(client)), MINUTE); // a page may stay open over midnight
    return () => clearInterval(timer);
  }, [client]);
  return day;
}
