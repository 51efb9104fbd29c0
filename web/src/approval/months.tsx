import { Button, Checkbox } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { TFunction } from "i18next";
import { useState, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { MonthReportJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { millis, shortDateTime } from "../kit/format.ts";
import { languageOf, type Language } from "../kit/i18n.ts";
import { Banner, Empty, Failed, PageTitle, ReasonList, Tag, Waiting } from "../kit/parts.tsx";
import { Table, type Column } from "../kit/table.tsx";
import { lengthWords, monthOf, monthWords } from "../kit/days.ts";
import { Csv, MonthHead } from "../telework/month.tsx";
import { MINUTE, useDay } from "../kit/today.ts";

/** The month of everybody of my sections: to look through, confirm and take to Excel. */
export function Months(): JSX.Element {
  const { t } = useTranslation();
  const today = useDay();
  const [month, setMonth] = useState(monthOf(today));
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["months", month],
    queryFn: async ({ signal }) => call("ApprovalService", "ListMonths", { month }, signal),
    placeholderData: keepPreviousData,
    staleTime: 0,
    refetchInterval: MINUTE,
  });
  const reports = data?.reports ?? [];
  return (
    <>
      <PageTitle
        actions={reports.length === 0 ? undefined : <Csv month={month} userIds={reports.map((r) => r.userId ?? "")} />}
      >
        {t("approval.months.title")}
      </PageTitle>
      <MonthHead month={month} onChange={setMonth} />
      {isPending ? <Waiting lines={5} /> : null}
      {data === undefined && error !== null ? <Failed error={error} retry={() => void refetch()} /> : null}
      {data !== undefined && reports.length === 0 ? <Empty icon="user" title={t("approval.months.empty")} /> : null}
      {reports.length === 0 ? null : (
        <Reports key={month} month={month} reports={reports} limit={millis(data?.gapLimitMs)} />
      )}
    </>
  );
}

interface ReportsProps {
  readonly month: string;
  readonly reports: readonly MonthReportJson[];
  readonly limit: number;
}

function Reports({ month, reports, limit }: ReportsProps): JSX.Element {
  const { t, i18n } = useTranslation();
  const language = languageOf(i18n);
  const client = useQueryClient();
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const confirm = useMutation({
    mutationFn: async () => call("ApprovalService", "ConfirmMonths", { month, userIds: [...picked] }),
    onSuccess: async ({ refusals = [] }) => {
      const done = picked.size - refusals.length;
      if (done > 0) {
        notifications.show({ message: t("approval.months.done", { count: done }), color: "green", role: "status" });
      }
      setPicked(new Set(refusals.map((r) => r.userId ?? "")));
      await client.invalidateQueries({ predicate: (q) => ["months", "month"].includes(String(q.queryKey[0])) });
    },
  });
  const pick = (id: string, on: boolean): void =>
    setPicked(new Set(on ? [...picked, id] : [...picked].filter((x) => x !== id)));
  return (
    <div className="stack-tight">
      <p className="hint">{t("approval.months.gapHelp", { minutes: Math.floor(limit / 60_000) })}</p>
      {confirm.error === null ? null : <Failed error={confirm.error} />}
      {(confirm.data?.refusals ?? []).map((r) => (
        <Banner
          key={r.userId}
          tone="error"
          title={t("approval.months.notDone", { name: reports.find((x) => x.userId === r.userId)?.userName ?? "" })}
          live
        >
          <ReasonList reasons={r.refusal?.reasons ?? []} />
        </Banner>
      ))}
      <Table
        caption={t("approval.months.caption", { month: monthWords(month, language) })}
        rows={reports}
        id={(r) => r.userId ?? ""}
        columns={columns({ t, language, month, picked, pick })}
      />
      <div className="row row-end no-print">
        <Button disabled={picked.size === 0} loading={confirm.isPending} onClick={() => confirm.mutate()}>
          {t("approval.months.confirm")}
        </Button>
      </div>
    </div>
  );
}

interface Shown {
  readonly t: TFunction;
  readonly language: Language;
  readonly month: string;
  readonly picked: ReadonlySet<string>;
  readonly pick: (id: string, on: boolean) => void;
}

function columns({ t, language, month, picked, pick }: Shown): Column<MonthReportJson>[] {
  return [
    {
      name: t("approval.months.user"),
      heads: true,
      cell: (r) => <Person report={r} month={month} picked={picked} pick={pick} />,
    },
    { name: t("approval.months.days"), right: true, cell: (r) => r.days ?? 0 },
    { name: t("approval.months.approved"), right: true, cell: (r) => r.approvedDays ?? 0 },
    { name: t("approval.months.work"), right: true, cell: (r) => lengthWords(millis(r.workMs), language) },
    { name: t("approval.months.connected"), right: true, cell: (r) => lengthWords(millis(r.connectedMs), language) },
    { name: t("approval.months.gap"), narrow: true, cell: (r) => <Gaps report={r} /> },
    { name: t("approval.months.confirmed"), cell: (r) => confirmedWords(t, r) },
  ];
}

interface PersonProps {
  readonly report: MonthReportJson;
  readonly month: string;
  readonly picked: ReadonlySet<string>;
  readonly pick: (id: string, on: boolean) => void;
}

function Person({ report, month, picked, pick }: PersonProps): JSX.Element {
  const { t } = useTranslation();
  const id = report.userId ?? "";
  const name = report.userName ?? "";
  return (
    <div className="picked">
      <Checkbox
        aria-label={t("approval.months.select", { name })}
        checked={picked.has(id)}
        onChange={(e) => pick(id, e.currentTarget.checked)}
      />
      <span>
        <Link to="/workdays" search={{ user: id, month }}>
          {name}
        </Link>
        <span className="sub">{report.sectionName}</span>
      </span>
    </div>
  );
}

function Gaps({ report }: { readonly report: MonthReportJson }): JSX.Element {
  const { t } = useTranslation();
  const days = report.gapDays ?? 0;
  return days === 0 ? <>—</> : <Tag tone="orange">{t("approval.months.gapDays", { days })}</Tag>;
}

function confirmedWords(t: TFunction, r: MonthReportJson): string {
  const at = millis(r.confirmedMs);
  return at === 0
    ? t("approval.months.notConfirmed")
    : t("approval.months.confirmedBy", { name: r.confirmedByName ?? "", time: shortDateTime(at) });
}
