import { TextInput } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { useState, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { BoardRowJson } from "../gen/jiseki/control/v1/approval_pb.js";
import type { WorkdayStateJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { ButtonLink } from "../kit/buttonlink.tsx";
import { placeKeys } from "../kit/enums.ts";
import { millis } from "../kit/format.ts";
import { Empty, Failed, PageTitle, Tag, Waiting } from "../kit/parts.tsx";
import { Table, type Column } from "../kit/table.tsx";
import { daySpan, timeAt } from "../kit/days.ts";
import { segmentKeys, workdayStateKeys } from "../telework/enums.ts";
import { useDay } from "../kit/today.ts";

/** How often the board asks again, in milliseconds. */
const EVERY = 15_000;

/** Who teleworks on a day and how far they are, instead of a telephone call. */
export function Board(): JSX.Element {
  const { t } = useTranslation();
  const today = useDay();
  const [date, setDate] = useState(today);
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["board", date],
    queryFn: async ({ signal }) => call("ApprovalService", "GetBoard", { date }, signal),
    refetchInterval: EVERY,
    placeholderData: keepPreviousData,
    staleTime: 0,
  });
  const rows = data?.rows ?? [];
  return (
    <>
      <PageTitle
        actions={
          <ButtonLink to="/poweron" search={{ date }} variant="outline">
            {t("approval.board.powerOn")}
          </ButtonLink>
        }
      >
        {t("approval.board.title")}
      </PageTitle>
      <div className="row board-head">
        <TextInput
          type="date"
          label={t("approval.board.date")}
          value={date}
          onChange={(e) => setDate(e.currentTarget.value || today)}
        />
        {rows.length === 0 ? null : <p>{summary(t, rows)}</p>}
      </div>
      {isPending ? <Waiting lines={5} /> : null}
      {data === undefined && error !== null ? <Failed error={error} retry={() => void refetch()} /> : null}
      {data !== undefined && rows.length === 0 ? <Empty icon="user" title={t("approval.board.empty")} /> : null}
      {rows.length === 0 ? null : (
        <Table caption={t("approval.board.caption")} rows={rows} id={(r) => r.userId ?? ""} columns={columns(t)} />
      )}
    </>
  );
}

function summary(t: TFunction, rows: readonly BoardRowJson[]): string {
  const count = (...states: WorkdayStateJson[]): number =>
    rows.filter((r) => states.includes(r.workday ?? "WORKDAY_STATE_UNSPECIFIED")).length;
  return t("approval.board.summary", {
    working: count("WORKDAY_STATE_WORKING"),
    away: count("WORKDAY_STATE_AWAY"),
    finished: count("WORKDAY_STATE_FINISHED"),
    before: count("WORKDAY_STATE_NOT_STARTED", "WORKDAY_STATE_UNSPECIFIED"),
  });
}

function columns(t: TFunction): Column<BoardRowJson>[] {
  return [
    { name: t("approval.board.user"), heads: true, cell: (r) => <Person row={r} /> },
    { name: t("approval.board.plan"), cell: (r) => <Plan row={r} /> },
    {
      name: t("approval.board.place"),
      cell: (r) => (r.place === undefined || r.place === "PLACE_UNSPECIFIED" ? "—" : t(placeKeys[r.place])),
    },
    { name: t("approval.board.state"), narrow: true, cell: (r) => <State row={r} /> },
    { name: t("approval.board.now"), cell: (r) => <Now row={r} /> },
  ];
}

function Person({ row }: { readonly row: BoardRowJson }): JSX.Element {
  return (
    <>
      {row.userName}
      <span className="sub">{row.sectionName}</span>
    </>
  );
}

function Plan({ row }: { readonly row: BoardRowJson }): JSX.Element {
  const { t } = useTranslation();
  if (row.day === undefined) {
    return <>—</>;
  }
  return (
    <span className="row">
      {daySpan(row.day)}
      {row.requestState === "REQUEST_STATE_PENDING" ? <Tag tone="blue">{t("approval.board.pending")}</Tag> : null}
    </span>
  );
}

const tones = {
  WORKDAY_STATE_UNSPECIFIED: "gray",
  WORKDAY_STATE_NOT_STARTED: "gray",
  WORKDAY_STATE_WORKING: "green",
  WORKDAY_STATE_AWAY: "orange",
  WORKDAY_STATE_FINISHED: "blue",
} as const;

function State({ row }: { readonly row: BoardRowJson }): JSX.Element {
  const { t } = useTranslation();
  const state = row.workday ?? "WORKDAY_STATE_UNSPECIFIED";
  return <Tag tone={tones[state]}>{t(workdayStateKeys[state])}</Tag>;
}

function Now({ row }: { readonly row: BoardRowJson }): JSX.Element {
  const { t } = useTranslation();
  const { segment } = row;
  if (segment === undefined && row.connected !== true && row.late !== true) {
    return <>—</>;
  }
  return (
    <>
      {segment === undefined
        ? null
        : t("telework.today.since", {
            segment: t(segmentKeys[segment.kind ?? "SEGMENT_KIND_UNSPECIFIED"]),
            time: timeAt(millis(segment.fromMs)),
          })}
      {row.connected === true ? <span className="sub">{t("approval.board.connected")}</span> : null}
      {row.late === true ? <Tag tone="red">{t("approval.board.late")}</Tag> : null}
    </>
  );
}
