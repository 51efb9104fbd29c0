import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { TFunction } from "i18next";
import type { JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { PowerOnRowJson } from "../gen/jiseki/control/v1/approval_pb.js";
import { deskStateKeys } from "../kit/enums.ts";
import { languageOf } from "../kit/i18n.ts";
import { Icon } from "../kit/icons.tsx";
import { Empty, Failed, PageTitle, Tag, Waiting } from "../kit/parts.tsx";
import { Table, type Column } from "../kit/table.tsx";
import { daySpan, fullDay } from "../kit/days.ts";
import { useDay } from "../kit/today.ts";

const route = getRouteApi("/signed-in/approval/poweron");

/** 本日の電源投入一覧: to print and walk through the hall with. */
export function PowerOn(): JSX.Element {
  const { t, i18n } = useTranslation();
  const today = useDay();
  const { date = today } = route.useSearch();
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["poweron", date],
    queryFn: async ({ signal }) => call("ApprovalService", "ListPowerOn", { date }, signal),
    staleTime: 0,
  });
  const rows = data?.rows ?? [];
  return (
    <>
      <PageTitle
        actions={
          <Button variant="outline" leftSection={<Icon name="print" />} onClick={() => print()}>
            {t("approval.power.print")}
          </Button>
        }
      >
        {t("approval.power.title")}
      </PageTitle>
      <p className="lead">{t("approval.power.lead", { day: fullDay(date, languageOf(i18n)) })}</p>
      {isPending ? <Waiting lines={5} /> : null}
      {data === undefined && error !== null ? <Failed error={error} retry={() => void refetch()} /> : null}
      {data !== undefined && rows.length === 0 ? <Empty icon="desk" title={t("approval.power.empty")} /> : null}
      {rows.length === 0 ? null : (
        <Table
          caption={t("approval.power.caption")}
          rows={rows}
          id={(r) => `${r.userName ?? ""} ${r.deskName ?? ""}`}
          columns={columns(t)}
        />
      )}
    </>
  );
}

function columns(t: TFunction): Column<PowerOnRowJson>[] {
  return [
    { name: t("approval.power.desk"), heads: true, cell: (r) => r.deskName },
    { name: t("approval.power.user"), cell: (r) => `${r.userName ?? ""}（${r.sectionName ?? ""}）` },
    { name: t("approval.power.time"), narrow: true, cell: (r) => daySpan(r.day ?? {}) },
    {
      name: t("approval.power.state"),
      narrow: true,
      cell: (r) => t(deskStateKeys[r.state ?? "DESK_STATE_UNSPECIFIED"]),
    },
    { name: t("approval.power.how"), narrow: true, cell: (r) => <How row={r} /> },
    { name: t("approval.power.done"), narrow: true, cell: () => "□" },
  ];
}

function How({ row }: { readonly row: PowerOnRowJson }): JSX.Element {
  const { t } = useTranslation();
  return row.wakeable === true ? <>{t("approval.power.auto")}</> : <Tag tone="orange">{t("approval.power.hand")}</Tag>;
}
