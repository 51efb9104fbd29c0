import { Button, Radio, Textarea } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { TFunction } from "i18next";
import { useState, type FormEvent, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { SessionJson } from "../gen/jiseki/control/v1/desk_pb.js";
import type { OwnDeviceJson, ReportLostResponseJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { kindKeys, placeKeys } from "../kit/enums.ts";
import { millis, shortDateTime } from "../kit/format.ts";
import { Banner, Empty, Failed, PageTitle, Section, Waiting } from "../kit/parts.tsx";
import { Table, type Column } from "../kit/table.tsx";
import "./telework.css";

const route = getRouteApi("/signed-in/lost");

/** 端末紛失: revokes at once and drafts the report, for oneself or for a member of one's section. */
export function Lost(): JSX.Element {
  const { t } = useTranslation();
  const { user = "", name = "" } = route.useSearch();
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["my-devices", user],
    queryFn: async ({ signal }) =>
      (await call("TeleworkService", "ListMyDevices", { userId: user }, signal)).devices ?? [],
    staleTime: 0,
  });
  return (
    <div className="content content-narrow">
      <PageTitle>{t("telework.lost.title")}</PageTitle>
      <p className="lead">{t("telework.lost.lead")}</p>
      {user === "" ? null : <p className="lead">{t("telework.lost.of", { name })}</p>}
      {isPending ? <Waiting /> : null}
      {data === undefined && error !== null ? <Failed error={error} retry={() => void refetch()} /> : null}
      {data === undefined ? null : <LostForm devices={data.filter((d) => millis(d.revokedMs) === 0)} />}
    </div>
  );
}

function LostForm({ devices }: { readonly devices: readonly OwnDeviceJson[] }): JSX.Element {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [device, setDevice] = useState(devices.length === 1 ? (devices[0]?.deviceId ?? "") : "");
  const [circumstances, setCircumstances] = useState("");
  const [tried, setTried] = useState(false);
  const report = useMutation({
    mutationFn: async () =>
      call("TeleworkService", "ReportLost", { deviceId: device, circumstances: circumstances.trim() }),
    onSuccess: async () => client.invalidateQueries({ queryKey: ["my-devices"], refetchType: "none" }),
  });
  const onSubmit = (e: FormEvent): void => {
    e.preventDefault();
    setTried(true);
    if (device !== "") {
      report.mutate();
    }
  };
  if (report.data !== undefined) {
    return <Reported result={report.data} />;
  }
  if (devices.length === 0) {
    return <Empty icon="device" title={t("telework.lost.none")} />;
  }
  return (
    <form className="stack" onSubmit={onSubmit} noValidate>
      <Radio.Group
        label={t("telework.lost.choose")}
        value={device}
        onChange={setDevice}
        error={tried && device === "" ? t("telework.lost.chooseNeeded") : undefined}
      >
        <div className="stack-tight">
          {devices.map((d) => (
            <Radio key={d.deviceId} value={d.deviceId ?? ""} label={d.label ?? ""} description={deviceWords(t, d)} />
          ))}
        </div>
      </Radio.Group>
      <Textarea
        label={t("telework.lost.circumstances")}
        description={t("telework.lost.circumstancesHint")}
        value={circumstances}
        onChange={(e) => setCircumstances(e.currentTarget.value)}
        autosize
        minRows={4}
        maxLength={2000}
      />
      <Banner tone="warning" title={t("telework.lost.ask")} />
      {report.error === null ? null : <Failed error={report.error} />}
      <div className="row row-end">
        <Button type="submit" color="red" size="lg" loading={report.isPending}>
          {t("telework.lost.submit")}
        </Button>
      </div>
    </form>
  );
}

function deviceWords(t: TFunction, d: OwnDeviceJson): string {
  const used = millis(d.lastUsedMs);
  const last = used === 0 ? t("telework.lost.never") : t("telework.lost.last", { time: shortDateTime(used) });
  return `${t(kindKeys[d.kind ?? "DEVICE_KIND_UNSPECIFIED"])} ${last}`;
}

function Reported({ result }: { readonly result: ReportLostResponseJson }): JSX.Element {
  const { t } = useTranslation();
  const [draft, setDraft] = useState(result.draft ?? "");
  const sessions = result.sessions ?? [];
  return (
    <>
      <Banner tone="success" title={t("telework.lost.done")} live>
        {(result.endedSessions ?? 0) > 0 ? t("telework.lost.ended", { count: result.endedSessions ?? 0 }) : null}
      </Banner>
      <Section title={t("telework.lost.draft")}>
        <div className="stack-tight report-draft">
          <Textarea
            aria-label={t("telework.lost.draft")}
            description={t("telework.lost.draftHint")}
            value={draft}
            onChange={(e) => setDraft(e.currentTarget.value)}
            autosize
            minRows={10}
          />
          <div className="row row-end">
            <Button variant="outline" onClick={() => void navigator.clipboard.writeText(draft)}>
              {t("telework.lost.copy")}
            </Button>
          </div>
        </div>
      </Section>
      {sessions.length === 0 ? null : (
        <Section title={t("telework.lost.sessions")}>
          <Table
            caption={t("telework.lost.sessions")}
            rows={sessions}
            id={(s) => s.sessionId ?? ""}
            columns={columns(t)}
          />
        </Section>
      )}
    </>
  );
}

function columns(t: TFunction): Column<SessionJson>[] {
  return [
    { name: t("account.desk"), heads: true, cell: (s) => s.deskName },
    {
      name: t("account.started"),
      narrow: true,
      cell: (s) => shortDateTime(millis(s.openedMs) || millis(s.preparedMs)),
    },
    { name: t("account.place"), cell: (s) => t(placeKeys[s.place ?? "PLACE_UNSPECIFIED"]) },
  ];
}
