import { Button, SegmentedControl } from "@mantine/core";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { SessionJson } from "../gen/jiseki/control/v1/desk_pb.js";
import { SessionResult } from "../kit/sessionresult.tsx";
import { lifeKeys, placeKeys } from "../kit/enums.ts";
import { amount, millis, shortDateTime } from "../kit/format.ts";
import { Empty, PageTitle, Tag } from "../kit/parts.tsx";
import { Table, type Column } from "../kit/table.tsx";
import { Confirm, List, PAGE, say } from "../kit/lists.tsx";

/** How often running sessions are read again, in milliseconds. */
const EVERY = 5000;

/** Who works on which desk now, and who did. */
export function Sessions(): JSX.Element {
  const { t } = useTranslation();
  const [runningOnly, setRunningOnly] = useState(true);
  const [ending, setEnding] = useState<SessionJson | null>(null);
  const query = useInfiniteQuery({
    queryKey: ["sessions", runningOnly],
    queryFn: async ({ pageParam, signal }) =>
      call("AdminService", "ListSessions", { page: { limit: PAGE, token: pageParam }, runningOnly }, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.nextToken || undefined,
    placeholderData: keepPreviousData,
    refetchInterval: runningOnly ? EVERY : false,
  });
  return (
    <>
      <PageTitle
        actions={
          <SegmentedControl
            aria-label={t("console.sessions.title")}
            size="md"
            value={runningOnly ? "running" : "past"}
            onChange={(v) => setRunningOnly(v === "running")}
            data={[
              { value: "running", label: t("console.sessions.running") },
              { value: "past", label: t("console.sessions.past") },
            ]}
          />
        }
      >
        {t("console.sessions.title")}
      </PageTitle>
      <List
        query={query}
        rows={(p) => p.sessions ?? []}
        empty={<Empty icon="device" title={t(runningOnly ? "console.sessions.empty" : "console.sessions.emptyPast")} />}
      >
        {(sessions) => <SessionTable sessions={sessions} runningOnly={runningOnly} end={setEnding} />}
      </List>
      {ending === null ? null : <EndDialog session={ending} close={() => setEnding(null)} />}
    </>
  );
}

interface TableProps {
  readonly sessions: readonly SessionJson[];
  readonly runningOnly: boolean;
  readonly end: (s: SessionJson) => void;
}

function SessionTable({ sessions, runningOnly, end }: TableProps): JSX.Element {
  const { t } = useTranslation();
  const columns: Column<SessionJson>[] = [
    {
      name: t("console.sessions.user"),
      heads: true,
      cell: (s) => (
        <span>
          <strong>{s.userName}</strong>
          <span className="sub">{s.userId}</span>
        </span>
      ),
    },
    { name: t("console.sessions.desk"), cell: (s) => s.deskName },
    {
      name: t("console.sessions.device"),
      cell: (s) => (
        <span>
          {s.deviceLabel}
          <span className="sub">
            {t(placeKeys[s.place ?? "PLACE_UNSPECIFIED"])} {s.address}
          </span>
        </span>
      ),
    },
    {
      name: t("console.sessions.started"),
      narrow: true,
      cell: (s) => shortDateTime(millis(s.openedMs) || millis(s.preparedMs)),
    },
    {
      name: t("console.sessions.amount"),
      right: true,
      narrow: true,
      cell: (s) => amount(millis(s.bytesToViewer) + millis(s.bytesToDesk)),
    },
  ];
  if (runningOnly) {
    columns.push({
      name: t("console.state"),
      cell: (s) => <Tag tone="blue">{t(lifeKeys[s.life ?? "SESSION_LIFE_UNSPECIFIED"])}</Tag>,
    });
  } else {
    columns.push(
      {
        name: t("console.sessions.ended"),
        narrow: true,
        cell: (s) => (millis(s.endedMs) === 0 ? "—" : shortDateTime(millis(s.endedMs))),
      },
      { name: t("console.sessions.result"), cell: (s) => <SessionResult session={s} /> },
    );
  }
  columns.push({
    name: t("console.actions"),
    narrow: true,
    cell: (s) =>
      s.life === "SESSION_LIFE_ENDED" ? null : (
        <Button
          size="xs"
          variant="outline"
          color="red"
          onClick={() => end(s)}
          aria-label={`${t("console.sessions.end")}: ${s.userName ?? ""} ${s.deskName ?? ""}`}
        >
          {t("console.sessions.end")}
        </Button>
      ),
  });
  return (
    <Table caption={t("console.sessions.title")} rows={sessions} id={(s) => s.sessionId ?? ""} columns={columns} />
  );
}

function EndDialog({ session, close }: { readonly session: SessionJson; readonly close: () => void }): JSX.Element {
  const { t } = useTranslation();
  return (
    <Confirm
      close={close}
      changes={["sessions", "all-desks"]}
      title={t("console.sessions.endTitle")}
      text={t("console.sessions.endText", { user: session.userName ?? "", desk: session.deskName ?? "" })}
      yes={t("console.sessions.end")}
      danger
      act={async () => call("AdminService", "EndAnySession", { sessionId: session.sessionId ?? "", reason: "console" })}
      done={() => say(t("console.sessions.done"))}
    />
  );
}
