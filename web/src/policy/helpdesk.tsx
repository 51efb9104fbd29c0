import { Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { useState, type FormEvent, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { FindSelfCheckResponseJson } from "../gen/jiseki/control/v1/policy_pb.js";
import type { SelfCheckItemJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { millis, shortDateTime } from "../kit/format.ts";
import { Failed, PageTitle, Section, Tag } from "../kit/parts.tsx";
import { Table, type Column } from "../kit/table.tsx";

/** Shows the result of somebody's self-check by the code that they tell. */
export function HelpDesk(): JSX.Element {
  const { t } = useTranslation();
  const [code, setCode] = useState("");
  const find = useMutation({ mutationFn: async () => call("PolicyService", "FindSelfCheck", { code: code.trim() }) });
  const onSubmit = (e: FormEvent): void => {
    e.preventDefault();
    if (code.trim() !== "") {
      find.mutate();
    }
  };
  return (
    <>
      <PageTitle>{t("policy.helpdesk.title")}</PageTitle>
      <p className="lead">{t("policy.helpdesk.lead")}</p>
      <search>
        <form className="filters" onSubmit={onSubmit}>
          <TextInput
            className="grow code-input"
            label={t("policy.helpdesk.code")}
            value={code}
            onChange={(e) => setCode(e.currentTarget.value)}
            autoComplete="off"
            spellCheck={false}
          />
          <Button type="submit" loading={find.isPending}>
            {t("policy.helpdesk.find")}
          </Button>
        </form>
      </search>
      {find.error === null ? null : <Failed error={find.error} />}
      {find.data === undefined ? null : <Found found={find.data} />}
    </>
  );
}

function Found({ found }: { readonly found: FindSelfCheckResponseJson }): JSX.Element {
  const { t } = useTranslation();
  return (
    <Section title={t("policy.helpdesk.of", { name: found.userName ?? "", time: shortDateTime(millis(found.timeMs)) })}>
      <Table
        caption={t("telework.check.caption")}
        rows={found.items ?? []}
        id={(i) => i.name ?? ""}
        columns={columns(t)}
      />
    </Section>
  );
}

const names = [
  "certificate",
  "storage",
  "clock",
  "route",
  "socket",
  "download",
  "upload",
  "delay",
  "loss",
  "outside",
  "keyboard",
] as const;
const outcomes = { ok: "green", warn: "orange", bad: "red" } as const;

function columns(t: TFunction): Column<SelfCheckItemJson>[] {
  return [
    { name: t("telework.check.item"), heads: true, cell: (i) => itemName(t, i.name ?? "") },
    { name: t("telework.check.value"), cell: (i) => <Value item={i} /> },
  ];
}

function itemName(t: TFunction, name: string): string {
  const known = names.find((n) => n === name);
  if (known !== undefined) {
    return t(`telework.check.items.${known}`);
  }
  return name.startsWith("desk ") ? t("telework.check.items.desk", { name: name.slice(5) }) : name;
}

function Value({ item }: { readonly item: SelfCheckItemJson }): JSX.Element {
  const { t } = useTranslation();
  const outcome = (Object.keys(outcomes) as (keyof typeof outcomes)[]).find((o) => o === item.outcome);
  return (
    <span className="row">
      {outcome === undefined ? null : <Tag tone={outcomes[outcome]}>{t(`telework.check.${outcome}`)}</Tag>}
      {item.value}
    </span>
  );
}
