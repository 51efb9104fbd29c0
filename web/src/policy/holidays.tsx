import { Button, FileButton, NativeSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { useRef, useState, type FormEvent, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call, toBase64 } from "../api/api.ts";
import { say, useChange } from "../kit/lists.tsx";
import type { CsvErrorJson, HolidayJson } from "../gen/jiseki/control/v1/policy_pb.js";
import { languageOf, type Language } from "../kit/i18n.ts";
import { Banner, Empty, Failed, PageTitle, Section, Waiting } from "../kit/parts.tsx";
import { Table, type Column } from "../kit/table.tsx";
import { fiscalYear, fiscalYearWords, fullDay } from "../kit/days.ts";
import { useDay } from "../kit/today.ts";
import "./policy.css";

/** On which days the hall is open. */
export function Holidays(): JSX.Element {
  const { t, i18n } = useTranslation();
  const today = useDay();
  const [year, setYear] = useState(fiscalYear(today));
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["holidays", year],
    queryFn: async ({ signal }) =>
      (await call("PolicyService", "ListHolidays", { fiscalYear: year }, signal)).holidays ?? [],
    staleTime: 0,
  });
  const remove = useChange<unknown, string>(
    ["holidays"],
    async (date) => call("PolicyService", "DeleteHoliday", { date }),
    () => say(t("policy.holidays.removed")),
  );
  const read = useImport();
  const language = languageOf(i18n);
  return (
    <>
      <PageTitle actions={<ImportButton busy={read.isPending} read={read.mutate} />}>
        {t("policy.holidays.title")}
      </PageTitle>
      {read.isError ? <Failed error={read.error} /> : null}
      {read.data?.refusal === undefined ? null : (
        <Wrong tone="error" title={t("policy.holidays.wrongTitle")} errors={read.data.refusal.errors ?? []} />
      )}
      {(read.data?.imported?.warnings ?? []).length === 0 ? null : (
        <Wrong tone="warning" title={t("policy.holidays.leftOut")} errors={read.data?.imported?.warnings ?? []} />
      )}
      <p className="lead">{t("policy.holidays.lead")}</p>
      <NativeSelect
        className="narrow-field"
        label={t("policy.holidays.year")}
        value={String(year)}
        onChange={(e) => setYear(Number(e.currentTarget.value))}
        data={[-1, 0, 1, 2]
          .map((n) => fiscalYear(today) + n)
          .map((y) => ({ value: String(y), label: fiscalYearWords(y, language) }))}
      />
      <div className="policy-save">
        {isPending ? <Waiting lines={5} /> : null}
        {data === undefined && error !== null ? <Failed error={error} retry={() => void refetch()} /> : null}
        {remove.isError ? <Failed error={remove.error} /> : null}
        {data?.length === 0 ? <Empty icon="info" title={t("policy.holidays.empty")} /> : null}
        {data === undefined || data.length === 0 ? null : (
          <Table
            caption={t("policy.holidays.caption", { year: fiscalYearWords(year, language) })}
            rows={data}
            id={(h) => h.date ?? ""}
            columns={columns(t, language, (date) => remove.mutate(date))}
          />
        )}
      </div>
      <Section title={t("policy.holidays.add")}>
        <AddDay />
      </Section>
    </>
  );
}

function columns(t: TFunction, language: Language, remove: (date: string) => void): Column<HolidayJson>[] {
  return [
    { name: t("policy.holidays.date"), heads: true, cell: (h) => fullDay(h.date ?? "", language) },
    { name: t("policy.holidays.name"), cell: (h) => h.name },
    {
      name: t("policy.holidays.kind"),
      cell: (h) => t(h.open === true ? "policy.holidays.open" : "policy.holidays.closed"),
    },
    { name: t("console.actions"), narrow: true, cell: (h) => <Remove holiday={h} remove={remove} /> },
  ];
}

function Remove({
  holiday,
  remove,
}: {
  readonly holiday: HolidayJson;
  readonly remove: (date: string) => void;
}): JSX.Element {
  const { t } = useTranslation();
  return (
    <Button
      size="xs"
      variant="outline"
      color="red"
      aria-label={`${holiday.date ?? ""} ${t("policy.holidays.remove")}`}
      onClick={() => remove(holiday.date ?? "")}
    >
      {t("policy.holidays.remove")}
    </Button>
  );
}

/** Reads a file of holidays, and keeps what is wrong in it until the next one. */
function useImport() {
  const { t } = useTranslation();
  return useChange(
    ["holidays"],
    async (file: File) =>
      call("PolicyService", "ImportHolidays", { csv: toBase64(new Uint8Array(await file.arrayBuffer())) }),
    (answer) => {
      if (answer.imported !== undefined) {
        say(t("policy.holidays.imported", { count: answer.imported.count ?? 0 }));
      }
    },
  );
}

/** Chooses the Cabinet Office's CSV. */
function ImportButton({ busy, read }: { readonly busy: boolean; readonly read: (file: File) => void }): JSX.Element {
  const { t } = useTranslation();
  const forget = useRef<() => void>(null);
  const onChange = (file: File | null): void => {
    if (file !== null) {
      read(file);
    }
    forget.current?.(); // so that the same file can be chosen again when it is mended
  };
  return (
    <FileButton accept=".csv,.txt,.tsv,text/csv,text/plain" resetRef={forget} onChange={onChange}>
      {(props) => (
        <Button {...props} variant="outline" loading={busy} title={t("policy.holidays.importHint")}>
          {t("policy.holidays.import")}
        </Button>
      )}
    </FileButton>
  );
}

/** Where something is in a file. Column 0 is the line as a whole. */
function place(e: CsvErrorJson, t: TFunction, japanese: boolean): string {
  const { line = 0, column = 0 } = e;
  const name = (japanese ? e.columnJa : e.columnEn) ?? "";
  if (column === 0) {
    return t("policy.holidays.wrongLine", { line });
  }
  return name === ""
    ? t("policy.holidays.wrongAt", { line, column })
    : t("policy.holidays.wrongCell", { line, column, name });
}

/** What is wrong in the file, or was left out, by line and column. */
function Wrong({
  tone,
  title,
  errors,
}: {
  readonly tone: "error" | "warning";
  readonly title: string;
  readonly errors: readonly CsvErrorJson[];
}): JSX.Element {
  const { t, i18n } = useTranslation();
  const japanese = languageOf(i18n) === "ja";
  return (
    <Banner tone={tone} title={title} live>
      <ul className="plain-list">
        {errors.map((e, i) => (
          <li key={`${e.line ?? 0} ${e.column ?? 0} ${i}`}>
            {place(e, t, japanese)} {japanese ? e.ja : e.en}
          </li>
        ))}
      </ul>
    </Banner>
  );
}

function AddDay(): JSX.Element {
  const { t } = useTranslation();
  const [date, setDate] = useState("");
  const [name, setName] = useState("");
  const [open, setOpen] = useState("no");
  const [tried, setTried] = useState(false);
  const put = useChange(
    ["holidays"],
    async () => call("PolicyService", "PutHoliday", { holiday: { date, name: name.trim(), open: open === "yes" } }),
    () => {
      say(t("policy.saved"));
      setDate("");
      setName("");
      setTried(false);
    },
  );
  const onSubmit = (e: FormEvent): void => {
    e.preventDefault();
    setTried(true);
    if (date !== "" && name.trim() !== "") {
      put.mutate(undefined);
    }
  };
  return (
    <form className="stack-tight" onSubmit={onSubmit} noValidate>
      <div className="columns">
        <TextInput
          type="date"
          label={t("policy.holidays.date")}
          value={date}
          onChange={(e) => setDate(e.currentTarget.value)}
          error={tried && date === "" ? t("policy.holidays.dateNeeded") : undefined}
        />
        <TextInput
          label={t("policy.holidays.name")}
          value={name}
          maxLength={100}
          onChange={(e) => setName(e.currentTarget.value)}
          error={tried && name.trim() === "" ? t("policy.holidays.nameNeeded") : undefined}
        />
        <NativeSelect
          label={t("policy.holidays.kind")}
          value={open}
          onChange={(e) => setOpen(e.currentTarget.value)}
          data={[
            { value: "no", label: t("policy.holidays.closed") },
            { value: "yes", label: t("policy.holidays.open") },
          ]}
        />
      </div>
      {put.isError ? <Failed error={put.error} /> : null}
      <div className="row row-end">
        <Button type="submit" loading={put.isPending}>
          {t("policy.holidays.add")}
        </Button>
      </div>
    </form>
  );
}
