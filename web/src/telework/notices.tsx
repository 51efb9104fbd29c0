import { Button } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import type { JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { NoticeJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { millis, shortDateTime } from "../kit/format.ts";
import { languageOf } from "../kit/i18n.ts";
import { Empty, Failed, PageTitle, Tag, Waiting } from "../kit/parts.tsx";
import "./telework.css";

/** What happened that concerns me, the newest first. */
export function Notices(): JSX.Element {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ["notices"],
    queryFn: async ({ pageParam, signal }) =>
      call("TeleworkService", "ListNotices", { page: { limit: 50, token: pageParam } }, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.nextToken || undefined,
    staleTime: 0,
  });
  const read = useMutation({
    mutationFn: async (noticeIds: string[]) => call("TeleworkService", "ReadNotices", { noticeIds }),
    onSuccess: async () =>
      client.invalidateQueries({ predicate: (q) => ["notices", "today"].includes(String(q.queryKey[0])) }),
  });
  const notices = data?.pages.flatMap((p) => p.notices ?? []) ?? [];
  const unread = data?.pages[0]?.unread ?? 0;
  return (
    <div className="content">
      <PageTitle
        actions={
          unread === 0 ? undefined : (
            <Button variant="outline" loading={read.isPending} onClick={() => read.mutate([])}>
              {t("telework.notices.readAll")}
            </Button>
          )
        }
      >
        {t("telework.notices.title")}
      </PageTitle>
      {isPending ? <Waiting lines={5} /> : null}
      {data === undefined && error !== null ? <Failed error={error} retry={() => void refetch()} /> : null}
      {data !== undefined && notices.length === 0 ? <Empty icon="info" title={t("telework.notices.empty")} /> : null}
      <ul className="notices">
        {notices.map((n) => (
          <NoticeLine
            key={n.noticeId}
            notice={n}
            onOpen={() => (millis(n.readMs) === 0 ? read.mutate([n.noticeId ?? ""]) : undefined)}
          />
        ))}
      </ul>
      {hasNextPage ? (
        <Button variant="outline" onClick={() => void fetchNextPage()} loading={isFetchingNextPage}>
          {t("more")}
        </Button>
      ) : null}
    </div>
  );
}

function NoticeLine({ notice, onOpen }: { readonly notice: NoticeJson; readonly onOpen: () => void }): JSX.Element {
  const { t, i18n } = useTranslation();
  const words = languageOf(i18n) === "ja" ? notice.ja : notice.en;
  const unread = millis(notice.readMs) === 0;
  return (
    <li className={unread ? "notice unread" : "notice"}>
      <span className="notice-time">{shortDateTime(millis(notice.timeMs))}</span>
      <span>
        {notice.path ? (
          <a href={notice.path} onClick={onOpen}>
            {words}
          </a>
        ) : (
          words
        )}{" "}
        {unread ? <Tag tone="blue">{t("telework.notices.unread")}</Tag> : null}
      </span>
    </li>
  );
}
