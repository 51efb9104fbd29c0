import { Button, TextInput } from "@mantine/core";
import { schemaResolver, useForm } from "@mantine/form";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { TFunction } from "i18next";
import type { JSX } from "react";
import { useTranslation } from "react-i18next";
import { z } from "zod";
import { askToKeep, type Keeping } from "../device/device.ts";
import type { MeJson } from "../gen/jiseki/control/v1/auth_pb.js";
import { day, millis } from "../kit/format.ts";
import { languageOf } from "../kit/i18n.ts";
import { devicesHere, enrol, systemAndBrowser } from "../device/identity.ts";
import { may, meQuery } from "../kit/me.ts";
import { Banner, Failed, Needed, PageTitle, Refused, Section } from "../kit/parts.tsx";
import { focusFirstError } from "../kit/form.ts";

/** How many characters a one-time code has, with its two check characters. */
const CODE_LENGTH = 16;
const LONGEST_LABEL = 64;

/** Enrols this browser as a device by a one-time code. */
export function Enrol(): JSX.Element | null {
  const { t } = useTranslation();
  const { data: me } = useQuery(meQuery);
  if (!me) {
    return null;
  }
  return (
    <div className="content content-narrow">
      <PageTitle>{t("enrol.title")}</PageTitle>
      {may(me, "MAY_ENROL_DEVICE") ? <EnrolThis me={me} /> : <Banner tone="warning" title={t("enrol.notAllowed")} />}
    </div>
  );
}

interface Fields {
  readonly code: string;
  readonly label: string;
}

function EnrolThis({ me }: { readonly me: MeJson }): JSX.Element {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { data: keeping } = useQuery({ queryKey: ["keeping"], queryFn: askToKeep, staleTime: Infinity });
  const { data: here } = useQuery({ queryKey: ["devices-here"], queryFn: devicesHere, staleTime: Infinity });
  const enrolment = useMutation({
    // Asked again within the user's action: some browsers promise only then.
    mutationFn: async (v: Fields) => enrol(me.userId ?? "", v.code, v.label.trim(), await askToKeep()),
    onSuccess: async (answer) => {
      if ("refusal" in answer) {
        return;
      }
      await Promise.all([
        client.invalidateQueries({ queryKey: ["devices-here"] }),
        client.fetchQuery({ ...meQuery, staleTime: 0 }),
      ]);
    },
  });
  if (enrolment.isSuccess && "deviceId" in enrolment.data) {
    return <Done label={enrolment.variables.label} />;
  }
  return (
    <>
      <p className="lead">{t("enrol.lead")}</p>
      {(here ?? []).some((d) => d.user === me.userId) ? (
        <Banner tone="info" title={t("enrol.already")}>
          {t("enrol.alreadyHelp")}
        </Banner>
      ) : null}
      {enrolment.isError ? <Failed error={enrolment.error} /> : null}
      {enrolment.data !== undefined && "refusal" in enrolment.data ? (
        <Refused refusal={enrolment.data.refusal} />
      ) : null}
      <EnrolForm
        busy={enrolment.isPending}
        blocked={keeping === "unavailable"}
        keeping={keeping}
        submit={(v) => enrolment.mutate(v)}
      />
      {may(me, "MAY_USE_PORTAL") ? (
        <p>
          <Link to="/">{t("enrol.later")}</Link>
        </p>
      ) : null}
      <Section title={t("enrol.what")}>
        <ul className="plain-list">
          <li>{t("enrol.whatKey")}</li>
          <li>{t("enrol.whatCertificate")}</li>
          <li>{t("enrol.whatOnly")}</li>
        </ul>
      </Section>
    </>
  );
}

interface FormProps {
  readonly busy: boolean;
  readonly blocked: boolean;
  readonly keeping: Keeping | undefined;
  readonly submit: (v: Fields) => void;
}

function EnrolForm({ busy, blocked, keeping, submit }: FormProps): JSX.Element {
  const { t } = useTranslation();
  const form = useForm<Fields>({
    mode: "uncontrolled",
    initialValues: { code: "", label: suggestion(t) },
    validate: schemaResolver(enrolFields(t), { sync: true }),
  });
  return (
    <form className="card stack" onSubmit={form.onSubmit(submit, focusFirstError)} noValidate>
      <TextInput
        className="code-input"
        label={<Needed>{t("enrol.code")}</Needed>}
        description={t("enrol.codeHint")}
        key={form.key("code")}
        {...form.getInputProps("code")}
        placeholder="XXXX-XXXX-XXXX-XXXX"
        autoComplete="off"
        autoCapitalize="characters"
        spellCheck={false}
        required
        withAsterisk={false}
      />
      <TextInput
        label={<Needed>{t("enrol.label")}</Needed>}
        description={t("enrol.labelHint")}
        key={form.key("label")}
        {...form.getInputProps("label")}
        autoComplete="off"
        required
        withAsterisk={false}
      />
      <KeepingNotice keeping={keeping} />
      <Button type="submit" size="lg" fullWidth loading={busy} disabled={blocked}>
        {t("enrol.submit")}
      </Button>
    </form>
  );
}

/** How many characters a code has without the signs between its groups. */
const codeLength = (typed: string): number =>
  typed.normalize("NFKC").replace(/[\s\u2010-\u2015\u30fc\u2212-]/g, "").length;

/** What must be typed to enrol. */
export function enrolFields(t: TFunction) {
  return z.object({
    code: z
      .string()
      .refine((s) => codeLength(s) > 0, { error: t("enrol.codeNeeded"), abort: true })
      .refine((s) => codeLength(s) === CODE_LENGTH, t("enrol.codeLength")),
    label: z
      .string()
      .trim()
      .min(1, t("enrol.labelNeeded"))
      .refine((s) => Array.from(s).length <= LONGEST_LABEL, t("enrol.labelLong")),
  });
}

function KeepingNotice({ keeping }: { readonly keeping: Keeping | undefined }): JSX.Element {
  const { t } = useTranslation();
  switch (keeping) {
    case undefined:
      return <p className="sub">{t("enrol.checking")}</p>;
    case "kept":
      return (
        <p className="sub">
          {t("enrol.keeping")}: {t("enrol.kept")}
        </p>
      );
    case "may_be_cleared":
      return (
        <div className="keeping">
          <Banner tone="warning" title={t("enrol.mayBeCleared")}>
            {t("enrol.mayBeClearedHelp")}
          </Banner>
        </div>
      );
    case "unavailable":
      return (
        <div className="keeping">
          <Banner tone="error" title={t("enrol.unavailable")}>
            {t("enrol.unavailableHelp")}
          </Banner>
        </div>
      );
  }
}

function Done({ label }: { readonly label: string }): JSX.Element {
  const { t, i18n } = useTranslation();
  const { data: me } = useQuery(meQuery);
  const until = millis(me?.device?.certificateUntilMs);
  return (
    <>
      <Banner tone="success" title={t("enrol.done")} live>
        {until === 0 ? null : t("enrol.doneText", { label, date: day(until, languageOf(i18n)) })}
      </Banner>
      <Button component={Link} to="/" size="lg" fullWidth>
        {t("enrol.toHome")}
      </Button>
    </>
  );
}

function suggestion(t: TFunction): string {
  const { system, browser } = systemAndBrowser(navigator.userAgent);
  return t("enrol.labelSuggestion", {
    system: system ?? t("enrol.systemOther"),
    browser: browser ?? t("enrol.browserOther"),
  });
}
