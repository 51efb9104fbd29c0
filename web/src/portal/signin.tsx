import { Button, PasswordInput, TextInput } from "@mantine/core";
import { schemaResolver, useForm } from "@mantine/form";
import { notifications } from "@mantine/notifications";
import { type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { z } from "zod";
import { devicesHere, signIn, type SignInAnswer, type Typed } from "../device/identity.ts";
import { focusFirstError } from "../kit/form.ts";
import { may, meQuery } from "../kit/me.ts";
import { Banner, Failed, Needed, PageTitle, Refused } from "../kit/parts.tsx";
import { Redirect } from "./redirect.tsx";

/** Sign-in with password, one-time password if asked, and the key of this browser if it holds one. */
export function SignIn(): JSX.Element {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const { to, why } = useSearch({ from: "/signin" });
  const { data: me } = useQuery(meQuery);
  const [totpAsked, setTotpAsked] = useState(false);
  const attempt = useMutation({
    mutationFn: async (a: { typed: Typed; device: boolean }) => signIn(a.typed, a.device),
    onSuccess: async (answer) => {
      if (answer.response.me === undefined) {
        setTotpAsked(answer.response.totpNeeded === true || totpAsked);
        return;
      }
      client.setQueryData(meQuery.queryKey, answer.response.me);
      if (answer.device === "not_accepted") {
        notifications.show({
          title: t("signIn.deviceUnused"),
          message: t("signIn.deviceUnusedHelp"),
          autoClose: 20_000,
          role: "status",
        });
      }
      await navigate({ to: afterSignIn(client, to), replace: true });
    },
  });
  if (me && attempt.isIdle) {
    return <Redirect to={afterSignIn(client, to)} />;
  }
  return (
    <div className="content content-narrow">
      <PageTitle>{t("signIn.title")}</PageTitle>
      <p className="lead">{t("signIn.lead")}</p>
      {attempt.isIdle && why !== undefined ? (
        <Banner tone="info" title={t(why === "over" ? "signIn.over" : "signIn.out")} live />
      ) : null}
      {attempt.isError ? <Failed error={attempt.error} /> : null}
      <Answer answer={attempt.data} />
      <Form
        busy={attempt.isPending}
        totpAsked={totpAsked}
        answer={attempt.data}
        submit={(typed, device) => attempt.mutate({ typed, device })}
      />
      <div className="section">
        <details>
          <summary>{t("signIn.help")}</summary>
          <ul className="plain-list">
            <li>{t("signIn.helpForgotten")}</li>
            <li>{t("signIn.helpLocked")}</li>
            <li>{t("signIn.helpSlip")}</li>
            <li>
              {t("manual.read")} <Link to="/manual">{t("manual.open")}</Link>
            </li>
          </ul>
        </details>
      </div>
    </div>
  );
}

function Answer({ answer }: { readonly answer: SignInAnswer | undefined }): JSX.Element | null {
  const { t } = useTranslation();
  const refusal = answer?.response.refusal;
  if (refusal === undefined) {
    return null;
  }
  if (answer?.response.totpNeeded === true) {
    return <Banner tone="info" title={t("signIn.totpAsked")} live />;
  }
  return <Refused refusal={refusal} />;
}

interface FormProps {
  readonly busy: boolean;
  readonly totpAsked: boolean;
  readonly answer: SignInAnswer | undefined;
  readonly submit: (typed: Typed, device: boolean) => void;
}

function Form({ busy, totpAsked, answer, submit }: FormProps): JSX.Element {
  const { t } = useTranslation();
  const totp = useRef<HTMLInputElement>(null);
  const form = useForm<Typed>({
    mode: "uncontrolled",
    initialValues: { user: "", password: "", totp: "" },
    validate: schemaResolver(
      z.object({
        user: z.string().trim().min(1, t("signIn.userNeeded")),
        password: z.string().min(1, t("signIn.passwordNeeded")),
        totp: totpAsked ? z.string().trim().min(1, t("signIn.totpNeeded")) : z.string(),
      }),
      { sync: true },
    ),
  });
  useEffect(() => {
    if (totpAsked) {
      totp.current?.focus();
    }
  }, [totpAsked]);
  const { data: enrolled } = useQuery({ queryKey: ["devices-here"], queryFn: devicesHere, staleTime: Infinity });
  const refusedDevice =
    answer?.device === "used" &&
    (answer.response.refusal?.reasons ?? []).some((r) => (r.code ?? "").startsWith("device_"));
  return (
    <form className="card stack" onSubmit={form.onSubmit((typed) => submit(typed, true), focusFirstError)} noValidate>
      <TextInput
        label={<Needed>{t("signIn.user")}</Needed>}
        key={form.key("user")}
        {...form.getInputProps("user")}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        withAsterisk={false}
      />
      <PasswordInput
        label={<Needed>{t("signIn.password")}</Needed>}
        key={form.key("password")}
        {...form.getInputProps("password")}
        visibilityToggleButtonProps={{ "aria-label": t("showPassword"), tabIndex: 0 }}
        autoComplete="current-password"
        required
        withAsterisk={false}
      />
      {totpAsked ? (
        <TextInput
          ref={totp}
          className="code-input"
          label={<Needed>{t("signIn.totp")}</Needed>}
          description={t("signIn.totpHint")}
          key={form.key("totp")}
          {...form.getInputProps("totp")}
          autoComplete="one-time-code"
          required
          withAsterisk={false}
        />
      ) : null}
      <Button type="submit" size="lg" fullWidth loading={busy}>
        {t("signIn.submit")}
      </Button>
      {refusedDevice ? (
        <Button variant="outline" fullWidth loading={busy} onClick={() => submit(form.getValues(), false)}>
          {t("signIn.without")}
        </Button>
      ) : null}
      <p className="sub">
        {enrolled === undefined ? "\u00a0" : t(enrolled.length > 0 ? "signIn.device" : "signIn.deviceNone")}
      </p>
    </form>
  );
}

/** Where somebody goes right after signing in. */
function afterSignIn(client: QueryClient, to: string | undefined): string {
  const me = client.getQueryData(meQuery.queryKey);
  if (me === null || me === undefined) {
    return "/signin";
  }
  if (me.mustChangePassword === true) {
    return "/password";
  }
  if (me.device === undefined && !may(me, "MAY_USE_PORTAL") && may(me, "MAY_ENROL_DEVICE")) {
    return "/enrol";
  }
  if (me.totpNeeded === true && me.hasTotp !== true && may(me, "MAY_SET_UP_TOTP")) {
    return "/totp";
  }
  return to ?? "/";
}
