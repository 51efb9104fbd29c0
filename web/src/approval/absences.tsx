import { Button, NativeSelect, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { useState, type FormEvent, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { AbsenceJson, AbsentPersonJson } from "../gen/jiseki/control/v1/approval_pb.js";
import { languageOf, type Language } from "../kit/i18n.ts";
import { Empty, Failed, PageTitle, Section, Waiting } from "../kit/parts.tsx";
import { Table, type Column } from "../kit/table.tsx";
import { fullDay } from "../kit/days.ts";
import { useDay } from "../kit/today.ts";

/** When heads and deputies are absent, so that the next deputy may decide. */
export function Absences(): JSX.Element {
  const { t, i18n } = useTranslation();
  const client = useQueryClient();
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["absences"],
    queryFn: async ({ signal }) => call("ApprovalService", "ListAbsences", {}, signal),
    staleTime: 0,
  });
  const remove = useMutation({
    mutationFn: async (absenceId: string) => call("ApprovalService", "DeleteAbsence", { absenceId }),
    onSuccess: async () => {
      notifications.show({ message: t("approval.absences.removed"), color: "green", role: "status" });
      await client.invalidateQueries({ queryKey: ["absences"] });
    },
  });
  const absences = data?.absences ?? [];
  return (
    <>
      <PageTitle>{t("approval.absences.title")}</PageTitle>
      <p className="lead">{t("approval.absences.lead")}</p>
      {isPending ? <Waiting /> : null}
      {data === undefined && error !== null ? <Failed error={error} retry={() => void refetch()} /> : null}
      {remove.error === null ? null : <Failed error={remove.error} />}
      {data !== undefined && absences.length === 0 ? <Empty icon="user" title={t("approval.absences.empty")} /> : null}
      {absences.length === 0 ? null : (
        <Table
          caption={t("approval.absences.caption")}
          rows={absences}
          id={(a) => a.absenceId ?? ""}
          columns={columns(t, languageOf(i18n), (id) => remove.mutate(id))}
        />
      )}
      <Section title={t("approval.absences.add")}>
        <AddAbsence people={data?.people ?? []} />
      </Section>
    </>
  );
}

function columns(t: TFunction, language: Language, remove: (id: string) => void): Column<AbsenceJson>[] {
  return [
    { name: t("approval.absences.user"), heads: true, cell: (a) => a.userName },
    { name: t("approval.absences.from"), cell: (a) => fullDay(a.from ?? "", language) },
    { name: t("approval.absences.until"), cell: (a) => fullDay(a.until ?? "", language) },
    { name: t("approval.absences.note"), cell: (a) => a.note || "—" },
    { name: t("console.actions"), narrow: true, cell: (a) => <Remove absence={a} remove={remove} /> },
  ];
}

function Remove({
  absence,
  remove,
}: {
  readonly absence: AbsenceJson;
  readonly remove: (id: string) => void;
}): JSX.Element {
  const { t } = useTranslation();
  return (
    <Button
      size="xs"
      variant="outline"
      color="red"
      onClick={() => remove(absence.absenceId ?? "")}
      aria-label={`${absence.userName ?? ""} ${t("approval.absences.remove")}`}
    >
      {t("approval.absences.remove")}
    </Button>
  );
}

/** Enters an absence: one's own, or that of a head or deputy beside whom one stands in. */
function AddAbsence({ people }: { readonly people: readonly AbsentPersonJson[] }): JSX.Element {
  const { t } = useTranslation();
  const client = useQueryClient();
  const today = useDay();
  const [user, setUser] = useState("");
  const [from, setFrom] = useState(today);
  const [until, setUntil] = useState(today);
  const [note, setNote] = useState("");
  const put = useMutation({
    mutationFn: async () =>
      call("ApprovalService", "PutAbsence", {
        absence: { userId: user || (people[0]?.userId ?? ""), from, until, note: note.trim() },
      }),
    onSuccess: async () => {
      setNote("");
      notifications.show({ message: t("approval.absences.saved"), color: "green", role: "status" });
      await client.invalidateQueries({ queryKey: ["absences"] });
    },
  });
  const onSubmit = (e: FormEvent): void => {
    e.preventDefault();
    if (from <= until) {
      put.mutate();
    }
  };
  return (
    <form className="stack-tight absence-form" onSubmit={onSubmit} noValidate>
      <NativeSelect
        label={t("approval.absences.user")}
        data={people.map((p) => ({ value: p.userId ?? "", label: p.userName ?? "" }))}
        value={user || (people[0]?.userId ?? "")}
        onChange={(e) => setUser(e.currentTarget.value)}
      />
      <div className="row">
        <TextInput
          type="date"
          label={t("approval.absences.from")}
          value={from}
          onChange={(e) => setFrom(e.currentTarget.value)}
        />
        <TextInput
          type="date"
          label={t("approval.absences.until")}
          value={until}
          onChange={(e) => setUntil(e.currentTarget.value)}
          error={from > until ? t("approval.absences.order") : undefined}
        />
      </div>
      <TextInput
        label={t("approval.absences.note")}
        value={note}
        onChange={(e) => setNote(e.currentTarget.value)}
        maxLength={200}
      />
      {put.error === null ? null : <Failed error={put.error} />}
      <div className="row row-end">
        <Button type="submit" loading={put.isPending}>
          {t("approval.absences.add")}
        </Button>
      </div>
    </form>
  );
}
