import { Button } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { GetWeekResponseJson, WeekRowJson } from "../gen/jiseki/control/v1/approval_pb.js";
import type { DayRequestJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { placeKeys } from "../kit/enums.ts";
import { languageOf } from "../kit/i18n.ts";
import { Empty, Failed, PageTitle, Waiting } from "../kit/parts.tsx";
import { addDays, daySpan, dayWords, fullDay, mondayOf } from "../kit/days.ts";
import { useDay } from "../kit/today.ts";

/** Who of the section teleworks when, without reasons. */
export function Week(): JSX.Element {
  const { t } = useTranslation();
  const today = useDay();
  const [from, setFrom] = useState(mondayOf(today));
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["week", from],
    queryFn: async ({ signal }) => call("ApprovalService", "GetWeek", { from }, signal),
    placeholderData: keepPreviousData,
    staleTime: 0,
  });
  return (
    <>
      <PageTitle
        actions={
          <>
            <Button variant="outline" onClick={() => setFrom(addDays(from, -7))}>
              {t("approval.week.previous")}
            </Button>
            <Button variant="outline" onClick={() => setFrom(mondayOf(today))}>
              {t("approval.week.this")}
            </Button>
            <Button variant="outline" onClick={() => setFrom(addDays(from, 7))}>
              {t("approval.week.next")}
            </Button>
          </>
        }
      >
        {t("approval.week.title")}
      </PageTitle>
      {isPending ? <Waiting lines={5} /> : null}
      {data === undefined && error !== null ? <Failed error={error} retry={() => void refetch()} /> : null}
      {data === undefined ? null : <WeekTable week={data} from={data.from ?? from} today={today} />}
    </>
  );
}

interface WeekTableProps {
  readonly week: GetWeekResponseJson;
  readonly from: string;
  readonly today: string;
}

function WeekTable({ week, from, today }: WeekTableProps): JSX.Element {
  const { t, i18n } = useTranslation();
  const language = languageOf(i18n);
  const days = Array.from({ length: 7 }, (_, i) => addDays(from, i));
  const known = new Map((week.days ?? []).map((d) => [d.date, d]));
  const shape = (day: string): string =>
    `${known.get(day)?.open === true ? "" : "closed"} ${day === today ? "today-column" : ""}`;
  const rows = week.rows ?? [];
  return (
    <>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard */}
      <section className="week-scroll" tabIndex={0} aria-label={t("approval.week.title")}>
        <table className="week">
          <caption className="lead">{t("approval.week.caption", { day: fullDay(from, language) })}</caption>
          <thead>
            <tr>
              <th scope="col">{t("approval.board.user")}</th>
              {days.map((day) => (
                <th key={day} scope="col" className={shape(day)}>
                  {dayWords(day, language)}
                  {known.get(day)?.holiday ? <span className="sub">{known.get(day)?.holiday}</span> : null}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <WeekLine key={row.userId} row={row} days={days} shape={shape} />
            ))}
          </tbody>
        </table>
      </section>
      {rows.length === 0 ? <Empty icon="user" title={t("approval.week.empty")} /> : null}
    </>
  );
}

interface WeekLineProps {
  readonly row: WeekRowJson;
  readonly days: readonly string[];
  readonly shape: (day: string) => string;
}

function WeekLine({ row, days, shape }: WeekLineProps): JSX.Element {
  return (
    <tr>
      <th scope="row">
        {row.userName}
        <span className="sub">{row.sectionName}</span>
      </th>
      {days.map((day) => (
        <td key={day} className={shape(day)}>
          {(row.requests ?? [])
            .filter((r) => r.day?.date === day)
            .map((r) => (
              <Planned key={r.requestId} request={r} />
            ))}
        </td>
      ))}
    </tr>
  );
}

function Planned({ request }: { readonly request: DayRequestJson }): JSX.Element {
  const { t } = useTranslation();
  const pending = request.state === "REQUEST_STATE_PENDING";
  return (
    <span className={pending ? "plan plan-pending" : "plan"}>
      {daySpan(request.day ?? {})}
      <span className="sub">
        {t(placeKeys[request.place ?? "PLACE_UNSPECIFIED"])}
        {pending ? ` ${t("approval.week.pending")}` : ""}
      </span>
    </span>
  );
}
