import { Button, Checkbox, NativeSelect, TextInput } from "@mantine/core";
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { useState, type FormEvent, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import { sectionChoices, sectionPath, sectionsQuery } from "../kit/choices.ts";
import { Dialog, DialogButtons, List, PAGE, say, useChange } from "../kit/lists.tsx";
import type { SectionJson } from "../gen/jiseki/control/v1/admin_pb.js";
import type { EmploymentJson, StaffMemberJson } from "../gen/jiseki/control/v1/policy_pb.js";
import { languageOf, type Language } from "../kit/i18n.ts";
import { Banner, Empty, Failed, PageTitle, Tag } from "../kit/parts.tsx";
import { Table, type Column } from "../kit/table.tsx";
import { addDays, fiscalYear, fiscalYearWords, fullDay, span } from "../kit/days.ts";
import { useDay } from "../kit/today.ts";
import { datedOf, datedProblem, hoursLines, type HoursLine } from "./dated.ts";
import { HoursFields } from "./hours.tsx";
import { policyQuery } from "./policy.tsx";
import "./policy.css";

/** What policy looks at, of each user: employment, hours, registration, mail address. */
export function Staff(): JSX.Element {
  const { t, i18n } = useTranslation();
  const [typed, setTyped] = useState("");
  const [search, setSearch] = useState({ query: "", sectionId: "" });
  const [edited, setEdited] = useState<StaffMemberJson | null>(null);
  const [renewing, setRenewing] = useState(false);
  const { data: sections = [] } = useQuery(sectionsQuery);
  const { data: policy } = useQuery(policyQuery);
  const employments = policy?.policy?.employments ?? [];
  const query = useInfiniteQuery({
    queryKey: ["staff", search],
    queryFn: async ({ pageParam, signal }) =>
      call("PolicyService", "ListStaff", { page: { limit: PAGE, token: pageParam }, ...search }, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.nextToken || undefined,
    placeholderData: keepPreviousData,
  });
  const submit = (e: FormEvent): void => {
    e.preventDefault();
    setSearch((s) => ({ ...s, query: typed.trim() }));
  };
  return (
    <>
      <PageTitle actions={<Button onClick={() => setRenewing(true)}>{t("policy.staff.renew")}</Button>}>
        {t("policy.staff.title")}
      </PageTitle>
      <search>
        <form className="filters" onSubmit={submit}>
          <TextInput
            className="grow"
            label={t("policy.staff.query")}
            value={typed}
            onChange={(e) => setTyped(e.currentTarget.value)}
          />
          <NativeSelect
            label={t("policy.staff.section")}
            value={search.sectionId}
            onChange={(e) => {
              const sectionId = e.currentTarget.value;
              setSearch((s) => ({ ...s, sectionId }));
            }}
            data={[{ value: "", label: t("policy.staff.all") }, ...sectionChoices(sections)]}
          />
          <Button type="submit" variant="outline">
            {t("console.searchDo")}
          </Button>
        </form>
      </search>
      <List query={query} rows={(p) => p.staff ?? []} empty={<Empty icon="user" title={t("console.noMatch")} />}>
        {(staff) => (
          <Table
            caption={t("policy.staff.caption")}
            rows={staff}
            id={(m) => m.userId ?? ""}
            columns={columns({ t, language: languageOf(i18n), sections, employments, edit: setEdited })}
          />
        )}
      </List>
      {edited === null ? null : <EditMember member={edited} employments={employments} close={() => setEdited(null)} />}
      {renewing ? <Renew close={() => setRenewing(false)} /> : null}
    </>
  );
}

interface Shown {
  readonly t: TFunction;
  readonly language: Language;
  readonly sections: readonly SectionJson[];
  readonly employments: readonly EmploymentJson[];
  readonly edit: (m: StaffMemberJson) => void;
}

function columns({ t, language, sections, employments, edit }: Shown): Column<StaffMemberJson>[] {
  return [
    { name: t("policy.staff.name"), heads: true, cell: (m) => <Person member={m} /> },
    { name: t("policy.staff.section"), cell: (m) => sectionPath(sections, m.sectionId ?? "") || "—" },
    { name: t("policy.staff.employment"), cell: (m) => employments.find((e) => e.id === m.employment)?.name ?? "—" },
    { name: t("policy.staff.hours"), cell: (m) => <Hours member={m} /> },
    {
      name: t("policy.staff.registered"),
      cell: (m) =>
        m.registeredUntil
          ? t("policy.staff.registeredUntil", { date: fullDay(m.registeredUntil, language) })
          : t("policy.staff.notRegistered"),
    },
    { name: t("policy.staff.mail"), cell: (m) => m.mail || "—" },
    { name: t("policy.staff.edit"), narrow: true, cell: (m) => <Edit member={m} edit={edit} /> },
  ];
}

function Person({ member }: { readonly member: StaffMemberJson }): JSX.Element {
  const { t } = useTranslation();
  return (
    <>
      {member.name} {member.clerk === true ? <Tag tone="blue">{t("policy.staff.clerk")}</Tag> : null}
      <span className="sub">{member.userId}</span>
    </>
  );
}

function Hours({ member }: { readonly member: StaffMemberJson }): JSX.Element {
  const { t } = useTranslation();
  const dated = member.hours ?? [];
  if (dated.length === 0) {
    return <>{t("policy.staff.standard")}</>;
  }
  return (
    <ul className="told">
      {dated.map((d, i) => (
        <li key={`${d.from ?? ""} ${i}`}>
          {span(d.hours?.startMinute ?? 0, d.hours?.endMinute ?? 0)}
          {d.note ? `（${d.note}）` : ""}
        </li>
      ))}
    </ul>
  );
}

function Edit({
  member,
  edit,
}: {
  readonly member: StaffMemberJson;
  readonly edit: (m: StaffMemberJson) => void;
}): JSX.Element {
  const { t } = useTranslation();
  return (
    <Button
      size="xs"
      variant="outline"
      onClick={() => edit(member)}
      aria-label={`${member.name ?? ""} ${t("policy.staff.edit")}`}
    >
      {t("policy.staff.edit")}
    </Button>
  );
}

interface EditMemberProps {
  readonly member: StaffMemberJson;
  readonly employments: readonly EmploymentJson[];
  readonly close: () => void;
}

function EditMember({ member: start, employments, close }: EditMemberProps): JSX.Element {
  const { t } = useTranslation();
  const [member, setMember] = useState(start);
  const [lines, setLines] = useState<readonly HoursLine[]>(hoursLines(start.hours ?? []));
  const [tried, setTried] = useState(false);
  const problem = datedProblem(lines);
  const save = useChange(
    ["staff"],
    async () => call("PolicyService", "UpdateStaff", { member: { ...member, hours: datedOf(lines) } }),
    () => {
      say(t("policy.saved"));
      close();
    },
  );
  const set = (to: Partial<StaffMemberJson>): void => setMember((m) => ({ ...m, ...to }));
  const onSubmit = (e: FormEvent): void => {
    e.preventDefault();
    setTried(true);
    if (!problem) {
      save.mutate(undefined);
    }
  };
  return (
    <Dialog title={t("policy.staff.editTitle", { name: member.name ?? "" })} close={close}>
      <form className="stack-tight" onSubmit={onSubmit} noValidate>
        <NativeSelect
          label={t("policy.staff.employment")}
          value={member.employment ?? ""}
          onChange={(e) => set({ employment: e.currentTarget.value })}
          data={[
            { value: "", label: t("unset") },
            ...employments.map((x) => ({ value: x.id ?? "", label: x.name ?? "" })),
          ]}
        />
        <TextInput
          type="email"
          label={t("policy.staff.mail")}
          description={t("policy.staff.mailHint")}
          value={member.mail ?? ""}
          onChange={(e) => set({ mail: e.currentTarget.value })}
          maxLength={254}
        />
        <TextInput
          type="date"
          label={t("policy.staff.registered")}
          value={member.registeredUntil ?? ""}
          onChange={(e) => set({ registeredUntil: e.currentTarget.value })}
        />
        <Checkbox
          label={t("policy.staff.clerk")}
          description={t("policy.staff.clerkHint")}
          checked={member.clerk === true}
          onChange={(e) => set({ clerk: e.currentTarget.checked })}
        />
        <HoursFields lines={lines} set={setLines} showErrors={tried} />
        {tried && problem ? <Banner tone="error" title={t("policy.staff.wrong")} live /> : null}
        {save.isError ? <Failed error={save.error} /> : null}
        <DialogButtons close={close}>
          <Button type="submit" loading={save.isPending}>
            {t("save")}
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}

/** Renews everybody's registration until the end of a fiscal year. */
function Renew({ close }: { readonly close: () => void }): JSX.Element {
  const { t, i18n } = useTranslation();
  const today = useDay();
  const year = fiscalYear(today);
  const [chosen, setChosen] = useState(today.slice(5) < "04-01" ? year + 1 : year);
  const renew = useChange(
    ["staff"],
    async () => call("PolicyService", "RenewRegistrations", { all: true, fiscalYear: chosen }),
    (r) => {
      say(t("policy.staff.renewed", { count: r.renewed ?? 0 }));
      close();
    },
  );
  return (
    <Dialog title={t("policy.staff.renewTitle")} close={close}>
      <div className="stack-tight">
        <NativeSelect
          label={t("policy.staff.renewYear")}
          value={String(chosen)}
          onChange={(e) => setChosen(Number(e.currentTarget.value))}
          data={[year, year + 1].map((y) => ({ value: String(y), label: fiscalYearWords(y, languageOf(i18n)) }))}
        />
        <p>{t("policy.staff.renewText", { date: fullDay(addDays(`${chosen + 1}-04-01`, -1), languageOf(i18n)) })}</p>
        {renew.isError ? <Failed error={renew.error} /> : null}
        <DialogButtons close={close}>
          <Button loading={renew.isPending} onClick={() => renew.mutate(undefined)}>
            {t("policy.staff.renewDo")}
          </Button>
        </DialogButtons>
      </div>
    </Dialog>
  );
}
