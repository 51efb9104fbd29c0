import { Button } from "@mantine/core";
import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { TFunction } from "i18next";
import { useState, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type {
  CsvEncodingJson,
  MonthReportJson,
  SegmentJson,
  WorkdayJson,
} from "../gen/jiseki/control/v1/telework_pb.js";
import { placeKeys } from "../kit/enums.ts";
import { millis, shortDateTime } from "../kit/format.ts";
import { languageOf, type Language } from "../kit/i18n.ts";
import { Icon } from "../kit/icons.tsx";
import { Banner, Empty, Failed, IconButton, PageTitle, Tag, Waiting } from "../kit/parts.tsx";
import { Table, type Column } from "../kit/table.tsx";
import { addMonths, dayWords, lengthWords, monthOf, monthWords, timeAt } from "../kit/days.ts";
import { download } from "./download.ts";
import { segmentKeys } from "./enums.ts";
import { MINUTE, useDay } from "../kit/today.ts";
import "./telework.css";

const route = getRouteApi("/signed-in/workdays");

/** A month of workdays: mine, or that of a member of my sections. */
export function MonthPage(): JSX.Element {
  const { t } = useTranslation();
  const { user = "", month: first } = route.useSearch();
  const today = useDay();
  const [month, setMonth] = useState(first ?? monthOf(today));
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["month", user, month],
    queryFn: async ({ signal }) =>
      (await call("TeleworkService", "GetMonth", { month, userId: user }, signal)).report ?? null,
    placeholderData: keepPreviousData,
    staleTime: 0,
    refetchInterval: MINUTE,
  });
  const name = data?.userName ?? "";
  return (
    <div className="content">
      <PageTitle actions={<MonthActions month={month} user={user} />}>
        {user === "" ? t("telework.month.title") : t("telework.month.of", { name })}
      </PageTitle>
      <MonthHead month={month} onChange={setMonth} />
      {isPending ? <Waiting lines={6} /> : null}
      {data === undefined && error !== null ? <Failed error={error} retry={() => void refetch()} /> : null}
      {data ? <Report report={data} month={month} mine={user === ""} /> : null}
    </div>
  );
}

interface MonthHeadProps {
  readonly month: string;
  readonly onChange: (month: string) => void;
}

/** The month with buttons to turn to others. */
export function MonthHead({ month, onChange }: MonthHeadProps): JSX.Element {
  const { t, i18n } = useTranslation();
  return (
    <div className="month-head no-print">
      <IconButton
        icon="down"
        way="back"
        name={t("telework.month.previous")}
        onClick={() => onChange(addMonths(month, -1))}
      />
      <h2 aria-live="polite">{monthWords(month, languageOf(i18n))}</h2>
      <IconButton icon="down" way="on" name={t("telework.month.next")} onClick={() => onChange(addMonths(month, 1))} />
    </div>
  );
}

/** Prints the month, or brings it as CSV. */
function MonthActions({ month, user }: { readonly month: string; readonly user: string }): JSX.Element {
  const { t } = useTranslation();
  return (
    <>
      <Csv month={month} userIds={user === "" ? [] : [user]} />
      <Button variant="outline" leftSection={<Icon name="print" />} onClick={() => print()}>
        {t("telework.month.print")}
      </Button>
    </>
  );
}

/** Months as CSV for Excel, in both encodings. */
export function Csv({ month, userIds }: { readonly month: string; readonly userIds: readonly string[] }): JSX.Element {
  const { t } = useTranslation();
  const csv = useMutation({
    mutationFn: async (encoding: CsvEncodingJson) =>
      call("TeleworkService", "ExportMonths", { month, userIds: [...userIds], encoding }),
    onSuccess: ({ csv: bytes = "", fileName = "" }) => download(bytes, fileName, "text/csv"),
  });
  return (
    <>
      {csv.error === null ? null : <Failed error={csv.error} />}
      <Loss reduced={csv.data?.reduced ?? 0} lost={csv.data?.lost ?? 0} />
      <Button variant="outline" loading={csv.isPending} onClick={() => csv.mutate("CSV_ENCODING_UTF8")}>
        {t("telework.month.csv")}
      </Button>
      <Button variant="outline" disabled={csv.isPending} onClick={() => csv.mutate("CSV_ENCODING_CP932")}>
        {t("telework.month.csvOld")}
      </Button>
    </>
  );
}

/** Says how many characters of a file are not as they were entered. */
function Loss({ reduced, lost }: { readonly reduced: number; readonly lost: number }): JSX.Element | null {
  const { t } = useTranslation();
  if (reduced + lost === 0) {
    return null;
  }
  return (
    <Banner tone="warning" title={t("telework.month.lossTitle")} live>
      {reduced === 0 ? null : <p>{t("telework.month.lossReduced", { count: reduced })}</p>}
      {lost === 0 ? null : <p>{t("telework.month.lossLost", { count: lost })}</p>}
      <p>{t("telework.month.lossHelp")}</p>
    </Banner>
  );
}

interface ReportProps {
  readonly report: MonthReportJson;
  readonly month: string;
  readonly mine: boolean;
}

function Report({ report, month, mine }: ReportProps): JSX.Element {
  const { t, i18n } = useTranslation();
  const language = languageOf(i18n);
  const workdays = report.workdays ?? [];
  const confirmed = millis(report.confirmedMs);
  return (
    <>
      <PrintHead report={report} month={month} />
      <p className="lead">
        {t("telework.month.summary", {
          days: report.days ?? 0,
          work: lengthWords(millis(report.workMs), language),
          connected: lengthWords(millis(report.connectedMs), language),
        })}
        <span className="sub">
          {confirmed === 0
            ? t("telework.month.notConfirmed")
            : t("telework.month.confirmed", { name: report.confirmedByName ?? "", time: shortDateTime(confirmed) })}
        </span>
      </p>
      {workdays.length === 0 ? (
        <Empty icon="info" title={t("telework.month.empty")} />
      ) : (
        <Table
          caption={t("telework.month.caption", { month: monthWords(month, language) })}
          rows={workdays}
          id={(w) => w.date ?? ""}
          columns={columns(t, language, mine)}
        />
      )}
    </>
  );
}

/** What only the printed page shows: whose month it is, and a place to stamp. */
function PrintHead({ report, month }: { readonly report: MonthReportJson; readonly month: string }): JSX.Element {
  const { t, i18n } = useTranslation();
  return (
    <div className="print-head only-print">
      <h1>
        {t("telework.month.report")} {monthWords(month, languageOf(i18n))}
      </h1>
      <p>
        {report.sectionName} {report.userName}
      </p>
      <p className="stamp">{t("telework.month.stamp")}</p>
    </div>
  );
}

function columns(t: TFunction, language: Language, mine: boolean): Column<WorkdayJson>[] {
  return [
    { name: t("telework.month.date"), heads: true, cell: (w) => <DateCell workday={w} mine={mine} /> },
    { name: t("telework.month.place"), cell: (w) => (w.place === undefined ? "—" : t(placeKeys[w.place])) },
    { name: t("telework.month.segments"), cell: (w) => <Segments segments={w.segments ?? []} /> },
    { name: t("telework.month.connections"), cell: (w) => <Connections workday={w} /> },
    { name: t("telework.month.work"), right: true, cell: (w) => lengthWords(millis(w.workMs), language) },
    { name: t("telework.month.gap"), right: true, cell: (w) => <Gap workday={w} /> },
    { name: t("telework.month.done"), cell: (w) => <span className="clip">{w.done || "—"}</span> },
  ];
}

function DateCell({ workday, mine }: { readonly workday: WorkdayJson; readonly mine: boolean }): JSX.Element {
  const { t, i18n } = useTranslation();
  const words = dayWords(workday.date ?? "", languageOf(i18n));
  return (
    <>
      {mine ? (
        <Link to="/workdays/$date" params={{ date: workday.date ?? "" }}>
          {words}
        </Link>
      ) : (
        words
      )}
      {(workday.corrections ?? []).length === 0 ? null : (
        <>
          {" "}
          <Tag tone="orange">{t("telework.month.corrected")}</Tag>
        </>
      )}
    </>
  );
}

/** The gap (乖離), marked where it is above the policy's limit. */
function Gap({ workday }: { readonly workday: WorkdayJson }): JSX.Element {
  const { i18n } = useTranslation();
  const gap = millis(workday.gapMs);
  if (gap === 0) {
    return <>—</>;
  }
  const words = lengthWords(gap, languageOf(i18n));
  return workday.gapFlagged === true ? <Tag tone="orange">{words}</Tag> : <>{words}</>;
}

/** Segments in the order of the day. */
export function Segments({ segments }: { readonly segments: readonly SegmentJson[] }): JSX.Element {
  const { t } = useTranslation();
  return (
    <ul className="bare times">
      {segments.map((s, i) => (
        <li key={`${s.fromMs ?? ""} ${i}`}>
          {timeAt(millis(s.fromMs))}～
          {millis(s.untilMs) === 0 ? t("telework.month.open") : timeAt(millis(s.untilMs))}{" "}
          {t(segmentKeys[s.kind ?? "SEGMENT_KIND_UNSPECIFIED"])}
        </li>
      ))}
    </ul>
  );
}

function Connections({ workday }: { readonly workday: WorkdayJson }): JSX.Element {
  const { t } = useTranslation();
  const connections = workday.connections ?? [];
  if (connections.length === 0) {
    return <>—</>;
  }
  return (
    <ul className="bare times">
      {connections.map((c) => (
        <li key={c.fromMs}>
          {timeAt(millis(c.fromMs))}～{millis(c.untilMs) === 0 ? t("telework.month.open") : timeAt(millis(c.untilMs))}
        </li>
      ))}
    </ul>
  );
}
