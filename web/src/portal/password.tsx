import { Button, PasswordInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { ParseKeys } from "i18next";
import type { JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { MeJson } from "../gen/jiseki/control/v1/auth_pb.js";
import { Icon } from "../kit/icons.tsx";
import { may, meQuery } from "../kit/me.ts";
import { Banner, Failed, Needed, PageTitle, Refused } from "../kit/parts.tsx";
import { focusFirstError } from "../kit/form.ts";
import { brokenRules, type Rule, RULES } from "./strength.ts";

const ruleKeys: Readonly<Record<Rule, ParseKeys>> = {
  length: "password.ruleLength",
  long: "password.ruleLong",
  name: "password.ruleName",
  repeats: "password.ruleRepeats",
  same: "password.ruleSame",
};

/** Changes the password: by choice, or before anything else when it is the initial one. */
export function Password(): JSX.Element | null {
  const { data: me } = useQuery(meQuery);
  if (!me) {
    return null;
  }
  return may(me, "MAY_CHANGE_PASSWORD") ? <ChangePassword me={me} /> : <NotHere />;
}

/** Says where the password can be changed: not after signing in from outside by the password alone. */
function NotHere(): JSX.Element {
  const { t } = useTranslation();
  return (
    <div className="content content-narrow">
      <PageTitle>{t("password.title")}</PageTitle>
      <Banner tone="warning" title={t("password.notHere")}>
        {t("password.notHereHelp")}
      </Banner>
    </div>
  );
}

function ChangePassword({ me }: { readonly me: MeJson }): JSX.Element {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const forced = me.mustChangePassword === true;
  const form = useForm({
    initialValues: { present: "", changed: "", again: "" },
    validate: {
      present: (v) => (v === "" ? t("password.presentNeeded") : null),
      changed: (v, all) => (broken(v, all.present, me).size > 0 ? t("password.rulesUnmet") : null),
      again: (v, all) => (v === all.changed ? null : t("password.againDifferent")),
    },
  });
  const change = useMutation({
    mutationFn: async (v: typeof form.values) =>
      call("AuthService", "ChangePassword", { oldPassword: v.present, newPassword: v.changed }),
    onSuccess: async ({ refusal }) => {
      if (refusal !== undefined) {
        return;
      }
      const fresh = await client.fetchQuery({ ...meQuery, staleTime: 0 });
      notifications.show({
        title: t("password.done"),
        message: t("password.doneOthers"),
        color: "green",
        role: "status",
      });
      const enrolNext = forced && fresh !== null && fresh.device === undefined && may(fresh, "MAY_ENROL_DEVICE");
      await navigate({ to: enrolNext ? "/enrol" : "/", replace: true });
    },
  });
  return (
    <div className="content content-narrow">
      <PageTitle>{t("password.title")}</PageTitle>
      {forced ? <Banner tone="info" title={t("password.forced")} /> : null}
      {change.isError ? <Failed error={change.error} /> : null}
      {change.data?.refusal === undefined ? null : <Refused refusal={change.data.refusal} />}
      <form className="card stack" onSubmit={form.onSubmit((v) => change.mutate(v), focusFirstError)} noValidate>
        <input type="text" name="username" autoComplete="username" value={me.userId ?? ""} readOnly hidden />
        <Field
          name="present"
          label={t(forced ? "password.presentInitial" : "password.present")}
          autoComplete="current-password"
          {...form.getInputProps("present")}
        />
        <div className="stack-tight">
          <Field
            name="changed"
            label={t("password.changed")}
            autoComplete="new-password"
            aria-describedby="rules"
            {...form.getInputProps("changed")}
          />
          <Rules password={form.values.changed} present={form.values.present} me={me} />
        </div>
        <Field name="again" label={t("password.again")} autoComplete="new-password" {...form.getInputProps("again")} />
        <Button type="submit" size="lg" fullWidth loading={change.isPending}>
          {t("password.submit")}
        </Button>
      </form>
    </div>
  );
}

function Field({
  label,
  ...props
}: {
  readonly label: string;
  readonly name: string;
  readonly autoComplete: string;
  readonly "aria-describedby"?: string;
}): JSX.Element {
  const { t } = useTranslation();
  return (
    <PasswordInput
      {...props}
      label={<Needed>{label}</Needed>}
      visibilityToggleButtonProps={{ "aria-label": t("showPassword"), tabIndex: 0 }}
      required
      withAsterisk={false}
    />
  );
}

/** The rules, each with whether what was typed so far keeps it. */
function Rules({
  password,
  present,
  me,
}: {
  readonly password: string;
  readonly present: string;
  readonly me: MeJson;
}): JSX.Element {
  const { t } = useTranslation();
  const wrong = broken(password, present, me);
  return (
    <div id="rules">
      <p className="sub">{t("password.rules")}</p>
      <ul className="rules">
        {RULES.map((rule) => {
          const state =
            password === "" || (rule === "same" && present === "") ? "open" : wrong.has(rule) ? "unmet" : "met";
          return (
            <li key={rule} className={`rule-${state}`}>
              <Icon name={state === "met" ? "success" : state === "unmet" ? "error" : "info"} size={20} />
              <span>
                {t(ruleKeys[rule])}
                <span className="visually-hidden">: {t(`password.${state}`)}</span>
              </span>
            </li>
          );
        })}
        <li className="rule-open">
          <Icon name="info" size={20} />
          <span>{t("password.ruleCommon")}</span>
        </li>
      </ul>
    </div>
  );
}

function broken(password: string, present: string, me: MeJson): ReadonlySet<Rule> {
  return brokenRules(password, { userId: me.userId ?? "", name: me.name ?? "", present });
}
