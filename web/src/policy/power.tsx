import { Button, Checkbox, MultiSelect } from "@mantine/core";
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { useState, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import { allDesksQuery } from "../kit/choices.ts";
import { Dialog, DialogButtons, List, PAGE, say, useChange } from "../kit/lists.tsx";
import type { LanSegmentJson } from "../gen/jiseki/control/v1/policy_pb.js";
import type { WakeJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { zoneKeys } from "../kit/enums.ts";
import { millis, shortDateTime } from "../kit/format.ts";
import { languageOf } from "../kit/i18n.ts";
import { Empty, Failed, PageTitle, ReasonList, Section, Tag, Waiting } from "../kit/parts.tsx";
import { Table, type Column } from "../kit/table.tsx";
import "./policy.css";

/** How often the wakes are read again, in milliseconds. */
const EVERY = 5000;

/** The LAN segments with their wakers, and what became of each wake. */
export function Power(): JSX.Element {
  const { t } = useTranslation();
  const [bulk, setBulk] = useState(false);
  const segments = useQuery({
    queryKey: ["segments"],
    queryFn: async ({ signal }) => (await call("PolicyService", "ListSegments", {}, signal)).segments ?? [],
    refetchInterval: 4 * EVERY,
    staleTime: 0,
  });
  const wakes = useInfiniteQuery({
    queryKey: ["wakes"],
    queryFn: async ({ pageParam, signal }) =>
      call("PolicyService", "ListWakes", { page: { limit: PAGE, token: pageParam } }, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.nextToken || undefined,
    placeholderData: keepPreviousData,
    refetchInterval: EVERY,
  });
  return (
    <>
      <PageTitle actions={<Button onClick={() => setBulk(true)}>{t("policy.power.bulk")}</Button>}>
        {t("policy.power.title")}
      </PageTitle>
      <Section title={t("policy.power.segments")}>
        {segments.isPending ? <Waiting /> : null}
        {segments.data === undefined && segments.error !== null ? (
          <Failed error={segments.error} retry={() => void segments.refetch()} />
        ) : null}
        {segments.data?.length === 0 ? <Empty icon="desk" title={t("policy.power.segmentsEmpty")} /> : null}
        {segments.data === undefined || segments.data.length === 0 ? null : (
          <Table
            caption={t("policy.power.segmentsCaption")}
            rows={segments.data}
            id={(s) => `${s.zone ?? ""} ${s.prefix ?? ""}`}
            columns={segmentColumns(t)}
          />
        )}
      </Section>
      <Section title={t("policy.power.wakes")}>
        <List
          query={wakes}
          rows={(p) => p.wakes ?? []}
          empty={<Empty icon="info" title={t("policy.power.wakesEmpty")} />}
        >
          {(rows) => (
            <Table
              caption={t("policy.power.wakesCaption")}
              rows={rows}
              id={(w) => w.wakeId ?? ""}
              columns={wakeColumns(t)}
            />
          )}
        </List>
      </Section>
      {bulk ? <Bulk close={() => setBulk(false)} /> : null}
    </>
  );
}

function segmentColumns(t: TFunction): Column<LanSegmentJson>[] {
  return [
    { name: t("policy.power.prefix"), heads: true, cell: (s) => <Prefix segment={s} /> },
    { name: t("policy.power.wakers"), cell: (s) => <Wakers segment={s} /> },
    { name: t("policy.power.desks"), cell: (s) => <DeskCount segment={s} /> },
    { name: t("console.state"), cell: (s) => <Warning segment={s} /> },
  ];
}

function Prefix({ segment }: { readonly segment: LanSegmentJson }): JSX.Element {
  const { t } = useTranslation();
  return (
    <>
      <span className="mono">{segment.prefix}</span>
      <span className="sub">{t(zoneKeys[segment.zone ?? "ZONE_UNSPECIFIED"])}</span>
    </>
  );
}

function Wakers({ segment }: { readonly segment: LanSegmentJson }): JSX.Element {
  const { t } = useTranslation();
  const wakers = segment.wakers ?? [];
  if (wakers.length === 0) {
    return <>{t("policy.power.noWakers")}</>;
  }
  return (
    <span className="tags">
      {wakers.map((w) => (
        <Tag key={w.deskId} tone={w.connected === true ? "green" : "gray"}>
          {w.alwaysOn === true ? `${w.name ?? ""}（${t("policy.power.always")}）` : w.name}
        </Tag>
      ))}
    </span>
  );
}

function DeskCount({ segment }: { readonly segment: LanSegmentJson }): JSX.Element {
  const { t } = useTranslation();
  const unwakeable = segment.desksUnwakeable ?? 0;
  return (
    <>
      {t("policy.power.deskCount", { on: segment.desksOn ?? 0, all: segment.desks ?? 0 })}
      {unwakeable === 0 ? null : <span className="sub">{t("policy.power.unwakeable", { count: unwakeable })}</span>}
    </>
  );
}

function Warning({ segment }: { readonly segment: LanSegmentJson }): JSX.Element {
  const { i18n } = useTranslation();
  const { warning } = segment;
  if (warning === undefined) {
    return <>—</>;
  }
  return (
    <>
      <Tag tone="orange">{languageOf(i18n) === "ja" ? warning.ja : warning.en}</Tag>
      <span className="sub">{languageOf(i18n) === "ja" ? warning.helpJa : warning.helpEn}</span>
    </>
  );
}

function wakeColumns(t: TFunction): Column<WakeJson>[] {
  return [
    { name: t("policy.power.desk"), heads: true, cell: (w) => w.deskName },
    { name: t("policy.power.asked"), narrow: true, cell: (w) => shortDateTime(millis(w.askedMs), true) },
    { name: t("policy.power.by"), cell: (w) => w.byName || "—" },
    { name: t("policy.power.state"), cell: (w) => <State wake={w} /> },
    { name: t("policy.power.waker"), cell: (w) => w.wakerName || "—" },
  ];
}

function State({ wake }: { readonly wake: WakeJson }): JSX.Element {
  const { t } = useTranslation();
  switch (wake.state) {
    case "WAKE_STATE_ON":
      return <Tag tone="green">{t("policy.power.on")}</Tag>;
    case "WAKE_STATE_FAILED":
      return (
        <>
          <Tag tone="red">{t("policy.power.failed")}</Tag>
          <ReasonList reasons={wake.failure === undefined ? [] : [wake.failure]} />
        </>
      );
    case "WAKE_STATE_SENT":
      return <Tag tone="blue">{t("policy.power.sent")}</Tag>;
    default:
      return <Tag tone="gray">{t("policy.power.queued")}</Tag>;
  }
}

/** Wakes many desks, one after another. */
function Bulk({ close }: { readonly close: () => void }): JSX.Element {
  const { t } = useTranslation();
  const { data: desks = [] } = useQuery(allDesksQuery);
  const [chosen, setChosen] = useState<string[]>([]);
  const off = desks.filter((d) => d.state === "DESK_STATE_OFF");
  const wake = useChange(
    ["wakes", "segments"],
    async () => call("PolicyService", "WakeDesks", { deskIds: chosen }),
    (r) => {
      say(t("policy.power.bulkDone", { count: r.wakes?.length ?? 0 }));
      close();
    },
  );
  return (
    <Dialog title={t("policy.power.bulkTitle")} close={close}>
      <div className="stack-tight">
        <p>{t("policy.power.bulkText")}</p>
        <Checkbox
          label={t("policy.power.bulkOff", { count: off.length })}
          checked={off.length > 0 && chosen.length === off.length}
          disabled={off.length === 0}
          onChange={(e) => setChosen(e.currentTarget.checked ? off.map((d) => d.deskId ?? "") : [])}
        />
        <MultiSelect
          label={t("policy.power.bulkChoose")}
          searchable
          data={off.map((d) => ({ value: d.deskId ?? "", label: d.name ?? "" }))}
          value={chosen}
          onChange={setChosen}
        />
        {wake.isError ? <Failed error={wake.error} /> : null}
        <DialogButtons close={close}>
          <Button disabled={chosen.length === 0} loading={wake.isPending} onClick={() => wake.mutate(undefined)}>
            {t("policy.power.bulkDo")}
          </Button>
        </DialogButtons>
      </div>
    </Dialog>
  );
}
