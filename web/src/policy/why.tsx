import { Button, Checkbox, NativeSelect, Select, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { useState, type FormEvent, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import { allDesksQuery, allUsersQuery, userChoices } from "../kit/choices.ts";
import type { WhyCheckJson, WhyResponseJson, WhyValueJson } from "../gen/jiseki/control/v1/policy_pb.js";
import type { PlaceJson } from "../gen/jiseki/control/v1/shared_pb.js";
import { placeKeys } from "../kit/enums.ts";
import { dateTime, millis } from "../kit/format.ts";
import { languageOf, type Language } from "../kit/i18n.ts";
import { Banner, Failed, PageTitle, ReasonList, Section, Tag, Waiting } from "../kit/parts.tsx";
import { Table, type Column } from "../kit/table.tsx";
import { fieldWords, valueWords } from "./fields.ts";
import "./policy.css";

interface Asked {
  readonly userId: string;
  readonly deskId: string;
  readonly deviceId: string;
  readonly place: PlaceJson;
  readonly time: string;
  readonly second: boolean;
}

const places = ["PLACE_HOME", "PLACE_SATELLITE", "PLACE_OTHER", "PLACE_OFFICE"] as const satisfies readonly PlaceJson[];

/** Whether somebody can connect, from where and when, and each rule that led to it. */
export function Why(): JSX.Element {
  const { t } = useTranslation();
  const users = useQuery(allUsersQuery);
  const desks = useQuery(allDesksQuery);
  const error = users.error ?? desks.error;
  const [asked, setAsked] = useState<Asked>({
    userId: "",
    deskId: "",
    deviceId: "",
    place: "PLACE_HOME",
    time: "",
    second: true,
  });
  const set = (to: Partial<Asked>): void => setAsked((a) => ({ ...a, ...to }));
  const why = useMutation({
    mutationFn: async () =>
      call("PolicyService", "Why", {
        userId: asked.userId,
        deskId: asked.deskId,
        deviceId: asked.deviceId,
        place: asked.place,
        timeMs: asked.time === "" ? "0" : String(Date.parse(`${asked.time}:00+09:00`)),
        viewer: "VIEWER_KIND_BROWSER",
        secondFactor: asked.second,
      }),
  });
  const onSubmit = (e: FormEvent): void => {
    e.preventDefault();
    if (asked.userId !== "" && asked.deskId !== "") {
      why.mutate();
    }
  };
  return (
    <>
      <PageTitle>{t("policy.why.title")}</PageTitle>
      <p className="lead">{t("policy.why.lead")}</p>
      {error !== null ? <Failed error={error} /> : null}
      {users.data === undefined || desks.data === undefined ? <Waiting /> : null}
      {users.data === undefined || desks.data === undefined ? null : (
        <form className="stack-tight" onSubmit={onSubmit} noValidate>
          <div className="columns">
            <Select
              label={t("policy.why.user")}
              searchable
              data={userChoices(users.data)}
              value={asked.userId || null}
              onChange={(v) => set({ userId: v ?? "", deskId: firstDesk(desks.data, v ?? ""), deviceId: "" })}
            />
            <Select
              label={t("policy.why.desk")}
              searchable
              data={desks.data.map((d) => ({ value: d.deskId ?? "", label: d.name ?? "" }))}
              value={asked.deskId || null}
              onChange={(v) => set({ deskId: v ?? "" })}
            />
            <Device userId={asked.userId} value={asked.deviceId} onChange={(deviceId) => set({ deviceId })} />
            <NativeSelect
              label={t("policy.why.place")}
              value={asked.place}
              onChange={(e) => set({ place: e.currentTarget.value as PlaceJson })}
              data={places.map((p) => ({ value: p, label: t(placeKeys[p]) }))}
            />
            <TextInput
              type="datetime-local"
              label={t("policy.why.time")}
              value={asked.time}
              onChange={(e) => set({ time: e.currentTarget.value })}
            />
          </div>
          <Checkbox
            label={t("policy.why.second")}
            checked={asked.second}
            onChange={(e) => set({ second: e.currentTarget.checked })}
          />
          <div className="row">
            <Button type="submit" loading={why.isPending} disabled={asked.userId === "" || asked.deskId === ""}>
              {t("policy.why.ask")}
            </Button>
            {asked.userId === "" || asked.deskId === "" ? <span className="hint">{t("policy.why.choose")}</span> : null}
          </div>
        </form>
      )}
      {why.error === null ? null : <Failed error={why.error} />}
      {why.data === undefined ? null : <Answer answer={why.data} />}
    </>
  );
}

function firstDesk(
  desks: readonly { readonly deskId?: string; readonly userIds?: readonly string[] }[],
  userId: string,
): string {
  return desks.find((d) => (d.userIds ?? []).includes(userId))?.deskId ?? "";
}

/** The devices of the user, or none. */
function Device({
  userId,
  value,
  onChange,
}: {
  readonly userId: string;
  readonly value: string;
  readonly onChange: (id: string) => void;
}): JSX.Element {
  const { t } = useTranslation();
  const { data = [] } = useQuery({
    queryKey: ["devices", "of", userId],
    queryFn: async ({ signal }) =>
      (await call("AdminService", "ListDevices", { owner: `user:${userId}`, page: { limit: 100 } }, signal)).devices ??
      [],
    enabled: userId !== "",
  });
  return (
    <NativeSelect
      label={t("policy.why.device")}
      value={value}
      onChange={(e) => onChange(e.currentTarget.value)}
      data={[
        { value: "", label: t("policy.why.noDevice") },
        ...data.map((d) => ({ value: d.deviceId ?? "", label: d.label ?? "" })),
      ]}
    />
  );
}

function Answer({ answer }: { readonly answer: WhyResponseJson }): JSX.Element {
  const { t, i18n } = useTranslation();
  const language = languageOf(i18n);
  const until = millis(answer.limits?.sessionUntilMs);
  return (
    <div className="policy-save">
      <Banner
        tone={answer.allowed === true ? "success" : "error"}
        title={t(answer.allowed === true ? "policy.why.allowed" : "policy.why.refused")}
        live
      >
        {answer.allowed === true && until > 0 ? (
          <p>{t("policy.why.until", { time: dateTime(until, language) })}</p>
        ) : null}
        {(answer.reasons ?? []).length === 0 ? null : <ReasonList reasons={answer.reasons ?? []} />}
      </Banner>
      <Section title={t("policy.why.values")}>
        <Table
          caption={t("policy.why.values")}
          rows={answer.values ?? []}
          id={(v) => v.name ?? ""}
          columns={valueColumns(t, language)}
        />
      </Section>
      <Section title={t("policy.why.checks")}>
        <Table
          caption={t("policy.why.checks")}
          rows={answer.checks ?? []}
          id={(c) => c.reason?.code ?? ""}
          columns={checkColumns(t, language)}
        />
      </Section>
    </div>
  );
}

function valueColumns(t: TFunction, language: Language): Column<WhyValueJson>[] {
  return [
    { name: t("policy.why.rule"), heads: true, cell: (v) => fieldWords(t, v.name ?? "") },
    { name: t("policy.why.value"), cell: (v) => valueWords(t, v.name ?? "", v.value ?? "") || "—" },
    {
      name: t("policy.why.source"),
      cell: (v) => (language === "ja" ? v.sourceJa : v.sourceEn) || t("policy.why.base"),
    },
  ];
}

function checkColumns(t: TFunction, language: Language): Column<WhyCheckJson>[] {
  return [
    { name: t("policy.why.rule"), heads: true, cell: (c) => (language === "ja" ? c.reason?.ja : c.reason?.en) },
    { name: t("console.state"), narrow: true, cell: (c) => <Refuses check={c} /> },
  ];
}

function Refuses({ check }: { readonly check: WhyCheckJson }): JSX.Element {
  const { t } = useTranslation();
  return check.refuses === true ? (
    <Tag tone="red">{t("policy.why.refuses")}</Tag>
  ) : (
    <Tag tone="gray">{t("policy.why.passed")}</Tag>
  );
}
