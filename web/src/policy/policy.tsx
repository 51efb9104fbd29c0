import { Button, NativeSelect, NumberInput, Switch, Textarea, TextInput } from "@mantine/core";
import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent, type JSX } from "react";
import { flushSync } from "react-dom";
import { useTranslation } from "react-i18next";
import { ApiError, call } from "../api/api.ts";
import { sectionChoices, sectionPath, sectionsQuery, type Choice } from "../kit/choices.ts";
import { RowMenu, say } from "../kit/lists.tsx";
import type { SectionJson } from "../gen/jiseki/control/v1/admin_pb.js";
import type {
  GetPolicyResponseJson,
  PolicyJson,
  PolicyRuleJson,
  ReservedSeatsJson,
} from "../gen/jiseki/control/v1/policy_pb.js";
import { zoneKeys } from "../kit/enums.ts";
import { languageOf } from "../kit/i18n.ts";
import { Icon } from "../kit/icons.tsx";
import { Banner, Failed, IconButton, PageTitle, Section, Waiting } from "../kit/parts.tsx";
import { Table, type Column } from "../kit/table.tsx";
import type { TFunction } from "i18next";
import { tell } from "./fields.ts";
import { generalErrors, generalOf, policyWith, type General } from "./general.ts";
import { RuleDialog } from "./rule.tsx";
import "./policy.css";

/** Read once: what somebody types must not be overwritten by a later answer. */
export const policyQuery = queryOptions({
  queryKey: ["policy"],
  queryFn: async ({ signal }) => call("PolicyService", "GetPolicy", {}, signal),
  staleTime: Infinity,
  gcTime: 0,
});

/** Who may telework when and how. */
export function PolicyPage(): JSX.Element {
  const { t } = useTranslation();
  const policy = useQuery(policyQuery);
  const sections = useQuery(sectionsQuery);
  const error = policy.error ?? sections.error;
  return (
    <>
      <PageTitle>{t("policy.policy.title")}</PageTitle>
      <p className="lead">{t("policy.policy.lead")}</p>
      {error !== null ? <Failed error={error} retry={() => void policy.refetch()} /> : null}
      {error === null && (policy.data === undefined || sections.data === undefined) ? <Waiting lines={6} /> : null}
      {policy.data === undefined || sections.data === undefined ? null : (
        <PolicyForm
          key={policy.data.revision}
          read={policy.data}
          sections={sections.data}
          reload={() => void policy.refetch()}
        />
      )}
    </>
  );
}

interface PolicyFormProps {
  readonly read: GetPolicyResponseJson;
  readonly sections: readonly SectionJson[];
  readonly reload: () => void;
}

function PolicyForm({ read, sections, reload }: PolicyFormProps): JSX.Element {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [rules, setRules] = useState(read.policy?.rules ?? []);
  const [reserved, setReserved] = useState(read.policy?.reservedSeats ?? []);
  const [general, setGeneral] = useState(generalOf(read.policy ?? {}));
  const [edited, setEdited] = useState<Numbered | null>(null);
  const [tried, setTried] = useState(false);
  const errors = generalErrors(general);
  const save = useMutation({
    mutationFn: async (policy: PolicyJson) =>
      call("PolicyService", "UpdatePolicy", { policy, revision: read.revision ?? "0" }),
    onSuccess: async (answer, policy) => {
      client.setQueryData(policyQuery.queryKey, { policy, ...answer });
      say(t("policy.saved"));
      await client.invalidateQueries({ queryKey: ["settings"] });
    },
  });
  const onSubmit = (e: FormEvent<HTMLFormElement>): void => {
    e.preventDefault();
    if (errors.size === 0) {
      return save.mutate({ ...policyWith(read.policy ?? {}, general), rules, reservedSeats: reserved });
    }
    flushSync(() => setTried(true)); // the errors must be there to be found
    e.currentTarget.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  };
  const employments = (policyWith(read.policy ?? {}, general).employments ?? []).map((e) => ({
    value: e.id ?? "",
    label: e.name ?? "",
  }));
  const put = (at: number, rule: PolicyRuleJson): void =>
    setRules((all) => (at < all.length ? all.with(at, rule) : [...all, rule]));
  return (
    <>
      <form onSubmit={onSubmit} noValidate>
        <Section title={t("policy.policy.rules")}>
          <Rules rules={rules} set={setRules} edit={setEdited} sections={sections} employments={employments} />
        </Section>
        <GeneralFields
          general={general}
          set={(to) => setGeneral((g) => ({ ...g, ...to }))}
          errors={tried ? errors : none}
          passwordSet={read.policy?.mail?.passwordSet === true}
        />
        <Section title={t("policy.policy.reserved")}>
          <Reserved reserved={reserved} set={setReserved} sections={sections} />
        </Section>
        <Saving wrong={tried && errors.size > 0} error={save.error} pending={save.isPending} reload={reload} />
      </form>
      {edited === null ? null : (
        <RuleDialog
          rule={edited.rule}
          added={edited.at === rules.length}
          sections={sectionChoices(sections)}
          employments={employments}
          onDone={(rule) => put(edited.at, rule)}
          close={() => setEdited(null)}
        />
      )}
    </>
  );
}

interface SavingProps {
  readonly wrong: boolean;
  readonly error: Error | null;
  readonly pending: boolean;
  readonly reload: () => void;
}

/** The form's end: the button that saves, and why it did not. */
function Saving({ wrong, error, pending, reload }: SavingProps): JSX.Element {
  const { t } = useTranslation();
  const conflict = error instanceof ApiError && error.code === "aborted";
  return (
    <div className="stack-tight policy-save">
      {wrong ? <Banner tone="error" title={t("policy.policy.wrong")} live /> : null}
      {conflict ? (
        <Banner tone="error" title={t("policy.conflict")} live>
          <Button variant="outline" onClick={reload}>
            {t("policy.reload")}
          </Button>
        </Banner>
      ) : null}
      {error !== null && !conflict ? <Failed error={error} /> : null}
      <div className="row row-end">
        <Button type="submit" size="lg" loading={pending}>
          {t("policy.policy.submit")}
        </Button>
      </div>
    </div>
  );
}

const none: ReadonlySet<keyof General> = new Set();

interface RulesProps {
  readonly rules: readonly PolicyRuleJson[];
  readonly set: (rules: PolicyRuleJson[]) => void;
  readonly edit: (rule: Numbered) => void;
  readonly sections: readonly SectionJson[];
  readonly employments: readonly Choice[];
}

interface Numbered {
  readonly at: number;
  readonly rule: PolicyRuleJson;
}

function Rules({ rules, set, edit, sections, employments }: RulesProps): JSX.Element {
  const { t } = useTranslation();
  const shown: Shown = {
    t,
    section: (id) => sectionPath(sections, id),
    employment: (id) => employments.find((e) => e.value === id)?.label ?? id,
    edit,
    remove: (at) => set(rules.filter((_, i) => i !== at)),
  };
  return (
    <div className="stack-tight">
      <p className="hint">{t("policy.policy.rulesHelp")}</p>
      {rules.length === 0 ? <p>{t("policy.policy.rulesNone")}</p> : null}
      {rules.length === 0 ? null : (
        <Table
          caption={t("policy.policy.rulesCaption")}
          rows={rules.map((rule, at) => ({ at, rule }))}
          id={(r) => String(r.at)}
          columns={ruleColumns(shown)}
        />
      )}
      <div>
        <Button
          variant="outline"
          leftSection={<Icon name="plus" size={20} />}
          onClick={() => edit({ at: rules.length, rule: {} })}
        >
          {t("policy.policy.addRule")}
        </Button>
      </div>
    </div>
  );
}

interface Shown {
  readonly t: TFunction;
  readonly section: (id: string) => string;
  readonly employment: (id: string) => string;
  readonly edit: (rule: Numbered) => void;
  readonly remove: (at: number) => void;
}

function ruleColumns(shown: Shown): Column<Numbered>[] {
  const { t } = shown;
  return [
    { name: t("policy.policy.who"), heads: true, cell: (r) => who(shown, r.rule) },
    { name: t("policy.policy.what"), cell: (r) => <What rule={r.rule} /> },
    { name: t("console.actions"), narrow: true, cell: (r) => <RuleMenu row={r} shown={shown} /> },
  ];
}

function who({ t, section, employment }: Shown, rule: PolicyRuleJson): string {
  const parts = [rule.sectionId ? section(rule.sectionId) : t("policy.policy.everybody")];
  if (rule.employment) {
    parts.push(employment(rule.employment));
  }
  if (rule.zone !== undefined && rule.zone !== "ZONE_UNSPECIFIED") {
    parts.push(t(zoneKeys[rule.zone]));
  }
  return parts.join(" / ");
}

function What({ rule }: { readonly rule: PolicyRuleJson }): JSX.Element {
  const { t, i18n } = useTranslation();
  const told = tell(t, languageOf(i18n), rule);
  if (told.length === 0) {
    return <>{t("policy.policy.nothing")}</>;
  }
  return (
    <ul className="told">
      {told.map((x) => (
        <li key={x.name}>
          {x.name}: <strong>{x.value}</strong>
        </li>
      ))}
    </ul>
  );
}

function RuleMenu({ row, shown }: { readonly row: Numbered; readonly shown: Shown }): JSX.Element {
  const { t } = shown;
  return (
    <RowMenu
      name={who(shown, row.rule)}
      acts={[
        { name: t("policy.policy.editRule"), do: () => shown.edit(row) },
        { name: t("policy.policy.removeRule"), do: () => shown.remove(row.at), danger: true },
      ]}
    />
  );
}

interface GeneralProps {
  readonly general: General;
  readonly set: (to: Partial<General>) => void;
  readonly errors: ReadonlySet<keyof General>;
  readonly passwordSet: boolean;
}

function GeneralFields({ general, set, errors, passwordSet }: GeneralProps): JSX.Element {
  const { t } = useTranslation();
  const text = (f: keyof General) => ({
    value: String(general[f]),
    onChange: (e: { currentTarget: { value: string } }) => set({ [f]: e.currentTarget.value }),
  });
  const time = (f: keyof General) => ({ ...text(f), error: errors.has(f) ? t("policy.policy.clockWrong") : undefined });
  const number = (f: keyof General, unit = "") => ({
    value: Number(general[f]),
    onChange: (v: number | string) => set({ [f]: Number(v || 0) }),
    min: 0,
    allowDecimal: false,
    hideControls: true,
    rightSection: <span className="unit">{unit}</span>,
    rightSectionWidth: 72,
  });
  return (
    <>
      <Section title={t("policy.policy.hours")}>
        <div className="clocks">
          <TextInput label={t("policy.policy.start")} {...time("start")} />
          <TextInput label={t("policy.policy.end")} {...time("end")} />
          <TextInput label={t("policy.policy.breakStart")} {...time("breakStart")} />
          <TextInput label={t("policy.policy.breakEnd")} {...time("breakEnd")} />
        </div>
      </Section>
      <Section title={t("policy.policy.employments")}>
        <Textarea
          aria-label={t("policy.policy.employments")}
          description={t("policy.policy.employmentsHelp")}
          autosize
          minRows={3}
          {...text("employments")}
          error={errors.has("employments") ? t("policy.policy.employmentsWrong") : undefined}
        />
      </Section>
      <Section title={t("policy.policy.seats")}>
        <div className="columns">
          <NumberInput label={t("policy.policy.maxOffice")} {...number("maxOffice")} />
          <NumberInput label={t("policy.policy.gap")} {...number("gapMinutes", t("policy.policy.minutes"))} />
        </div>
      </Section>
      <Section title={t("policy.policy.wake")}>
        <div className="stack">
          <Switch
            label={t("policy.policy.wakeByPlan")}
            checked={general.wakeByPlan}
            onChange={(e) => set({ wakeByPlan: e.currentTarget.checked })}
          />
          <div className="columns">
            <NumberInput label={t("policy.policy.wakeLead")} {...number("wakeLead", t("policy.policy.minutes"))} />
            <NumberInput label={t("policy.policy.wakeStagger")} {...number("wakeStagger", t("policy.policy.ms"))} />
          </div>
        </div>
      </Section>
      <Section title={t("policy.policy.mail")}>
        <div className="columns">
          <TextInput
            label={t("policy.policy.mailServer")}
            description={t("policy.policy.mailServerHint")}
            inputWrapperOrder={["label", "input", "description", "error"]}
            {...text("mailServer")}
          />
          <NativeSelect
            label={t("policy.policy.mailTls")}
            {...text("mailTls")}
            data={[
              { value: "starttls", label: t("policy.policy.mailStarttls") },
              { value: "tls", label: t("policy.policy.mailTlsYes") },
              { value: "none", label: t("policy.policy.mailNone") },
            ]}
          />
          <TextInput
            label={t("policy.policy.mailUser")}
            description={t(passwordSet ? "policy.policy.mailPasswordSet" : "policy.policy.mailPassword")}
            inputWrapperOrder={["label", "input", "description", "error"]}
            {...text("mailUser")}
          />
          <TextInput label={t("policy.policy.mailFrom")} {...text("mailFrom")} />
          <NumberInput label={t("policy.policy.mailDigest")} {...number("mailDigest", t("policy.policy.minutes"))} />
        </div>
      </Section>
    </>
  );
}

interface ReservedProps {
  readonly reserved: readonly ReservedSeatsJson[];
  readonly set: (reserved: ReservedSeatsJson[]) => void;
  readonly sections: readonly SectionJson[];
}

function Reserved({ reserved, set, sections }: ReservedProps): JSX.Element {
  const { t } = useTranslation();
  const free = sectionChoices(sections).filter((c) => !reserved.some((r) => r.sectionId === c.value));
  return (
    <div className="stack-tight">
      <p className="hint">{t("policy.policy.reservedHelp")}</p>
      {reserved.map((r) => {
        const name = sectionPath(sections, r.sectionId ?? "");
        return (
          <div key={r.sectionId} className="row">
            <span className="reserved-name">{name}</span>
            <NumberInput
              size="sm"
              className="clock"
              aria-label={`${name} ${t("policy.policy.seatsCount")}`}
              value={r.seats ?? 0}
              min={0}
              allowDecimal={false}
              onChange={(v) =>
                set(reserved.map((x) => (x.sectionId === r.sectionId ? { ...x, seats: Number(v || 0) } : x)))
              }
            />
            <IconButton
              icon="close"
              name={t("policy.policy.removeReserved", { name })}
              onClick={() => set(reserved.filter((x) => x.sectionId !== r.sectionId))}
            />
          </div>
        );
      })}
      <NativeSelect
        className="narrow-field"
        aria-label={t("policy.policy.addReserved")}
        value=""
        onChange={(e) =>
          e.currentTarget.value === "" ? undefined : set([...reserved, { sectionId: e.currentTarget.value, seats: 1 }])
        }
        data={[{ value: "", label: t("policy.policy.addReserved") }, ...free]}
      />
    </div>
  );
}
